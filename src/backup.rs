//! Copies of the database for bad days: written while the program runs, looked through before they count, and put to
//! work again where nothing is. It never writes over anything.

mod part;
mod postgres;
mod restored;

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, bail};

use crate::audit::{Anchor, Audit, Broken};
use crate::clock::Clock;
use crate::key_ring::KeyRing;
use crate::secret::SecretKey;
use crate::storage::copy::{self, Counts};
use crate::storage::schema::{self, Applied};
use crate::storage::{self, Backend, Connection, Store};

use part::Part;
pub use restored::{Held, Voided, Wishes};

/// A backup that was written.
#[derive(Debug)]
pub struct Written {
    /// Its size.
    pub bytes: u64,
    /// How long it took, the looking through included, in milliseconds.
    pub took_ms: u128,
    /// What is in it.
    pub found: Found,
}

/// What is in a database that was looked through.
#[derive(Debug)]
pub struct Found {
    /// The newest migration that it has.
    pub schema: i64,
    /// How much there is.
    pub counts: Counts,
    /// Whether the record of sensitive steps is whole.
    pub record: Record,
}

/// How the record of sensitive steps was found.
#[derive(Debug)]
pub enum Record {
    /// Whole, with this end.
    Whole(Anchor),
    /// There is none yet.
    None,
    /// It cannot be trusted, or not be checked; why.
    Doubtful(String),
}

/// A database that was restored.
#[derive(Debug)]
pub struct Restored {
    /// What was in the backup.
    pub found: Found,
    /// Migrations that the backup did not have.
    pub applied: Vec<Applied>,
    /// What was ended.
    pub voided: Voided,
}

/// Writes everything that is committed now into a new file, and looks it through.
pub async fn write(url: &str, path: &Path, secret: &SecretKey) -> anyhow::Result<Written> {
    let begun = Instant::now();
    let store = Store::open_as_it_is(url).await?;
    let part = Part::begin(path)?;
    let found = match store.backend() {
        Backend::Sqlite => write_sqlite(&store, &part, secret).await,
        Backend::Postgres => write_postgres(&store, url, &part, secret).await,
    };
    store.close().await;
    let found = found?;
    let bytes = part.finish(path)?;
    Ok(Written {
        bytes,
        took_ms: begun.elapsed().as_millis(),
        found,
    })
}

async fn write_sqlite(store: &Store, part: &Part, secret: &SecretKey) -> anyhow::Result<Found> {
    let mut connection = store.connection().await?;
    is_ours(&mut connection, store.backend()).await?;
    let name = part.path().to_str().context("the file's name is no text")?;
    copy::write(&mut connection, name).await?;
    drop(connection);
    look_at_file(part.path(), secret).await
}

/// The dump and what is told of it are as of one moment.
async fn write_postgres(
    store: &Store,
    url: &str,
    part: &Part,
    secret: &SecretKey,
) -> anyhow::Result<Found> {
    let mut transaction = store.begin().await?;
    let moment = copy::hold_moment(&mut transaction).await?;
    let found = look(&mut transaction, Backend::Postgres, secret).await?;
    postgres::dump(url, part.path(), &moment)?;
    transaction.rollback().await?;
    postgres::is_whole(part.path())?;
    Ok(found)
}

/// Looks a SQLite file through that nobody writes to.
async fn look_at_file(path: &Path, secret: &SecretKey) -> anyhow::Result<Found> {
    let file = Store::open_copy(path).await?;
    let found = look_through(&file, secret).await;
    file.close().await;
    found
}

async fn look_through(file: &Store, secret: &SecretKey) -> anyhow::Result<Found> {
    let mut connection = file.connection().await?;
    let faults = copy::faults(&mut connection).await;
    let faults = faults.context("the file cannot be read as a SQLite database")?;
    if !faults.is_empty() {
        bail!("the file is damaged: {}", faults.join("; "));
    }
    look(&mut connection, Backend::Sqlite, secret).await
}

async fn look(
    connection: &mut Connection,
    backend: Backend,
    secret: &SecretKey,
) -> anyhow::Result<Found> {
    Ok(Found {
        schema: is_ours(connection, backend).await?,
        counts: copy::counts(connection, backend).await?,
        record: record(connection, backend, secret).await?,
    })
}

/// Refuses a database of something else, and one of a newer program; the migration that it has.
async fn is_ours(connection: &mut Connection, backend: Backend) -> anyhow::Result<i64> {
    let version = schema::version(connection, backend).await?;
    if version == 0 || !schema::has_table(connection, backend, "conversation").await? {
        bail!("this is no database of Tanya");
    }
    schema::is_known(version)?;
    Ok(version)
}

async fn record(
    connection: &mut Connection,
    backend: Backend,
    secret: &SecretKey,
) -> anyhow::Result<Record> {
    if !schema::has_table(connection, backend, "audit").await? {
        return Ok(Record::None);
    }
    let key = match KeyRing::audit_key(connection, secret).await {
        Ok(Some(key)) => key,
        Ok(None) => return Ok(Record::None),
        Err(error) => return Ok(Record::Doubtful(format!("{error:#}"))),
    };
    let audit = Audit::new(key);
    let checked = match schema::has_table(connection, backend, "audit_start").await? {
        true => audit.check(connection, None).await,
        false => audit.check_uncut(connection).await,
    };
    match checked {
        Ok(end) => Ok(Record::Whole(end)),
        Err(Broken::Database(error)) => Err(error.into()),
        Err(broken) => Ok(Record::Doubtful(broken.to_string())),
    }
}

/// Makes a database of a backup where none is, and ends there what must not live on. It appears whole or not at all on
/// SQLite; on PostgreSQL nothing may be started before this came back well.
pub async fn restore(
    url: &str,
    path: &Path,
    secret: &SecretKey,
    clock: &Clock,
    wishes: &Wishes,
) -> anyhow::Result<Restored> {
    match storage::sqlite_file(url) {
        Some(place) => restore_sqlite(&place, path, secret, clock, wishes).await,
        None => restore_postgres(url, path, secret, clock, wishes).await,
    }
}

async fn restore_sqlite(
    place: &Path,
    path: &Path,
    secret: &SecretKey,
    clock: &Clock,
    wishes: &Wishes,
) -> anyhow::Result<Restored> {
    if part::is_there(place) || part::is_there(&part::beside(place, "-wal")) {
        bail!(
            "{} is there already; a backup is restored where no database is",
            place.display()
        );
    }
    if part::is_there(&part::beside(path, "-wal")) {
        bail!(
            "{} has a -wal beside it: it is a database in use, and no backup",
            path.display()
        );
    }
    part::make_folder(place)?;
    let _lock = storage::lock(place)?;
    let found = look_at_file(path, secret).await?;
    refuse_doubts(&found)?;
    let mut part = Part::begin(place)?;
    part.fill_from(path)?;
    let url = storage::sqlite_url(part.path());
    let applied = Store::migrate(&url).await?;
    let store = Store::open_beside(&url).await?;
    let voided = void_and_check(&store, secret, clock, wishes, &found).await;
    store.close().await;
    let voided = voided?;
    if part::is_there(&part::beside(part.path(), "-wal")) {
        bail!("the restored file could not be closed");
    }
    // An empty file stood for none: it makes way.
    part::remove_empty(place)?;
    part.finish(place)?;
    Ok(Restored {
        found,
        applied,
        voided,
    })
}

async fn restore_postgres(
    url: &str,
    path: &Path,
    secret: &SecretKey,
    clock: &Clock,
    wishes: &Wishes,
) -> anyhow::Result<Restored> {
    let store = Store::open_as_it_is(url).await?;
    let tables = schema::tables(&mut *store.connection().await?, Backend::Postgres).await;
    store.close().await;
    if tables? > 0 {
        bail!("the database is not empty; a backup is restored where nothing is");
    }
    postgres::is_whole(path)?;
    postgres::load(url, path)?;
    void(url, secret, clock, wishes).await.context(
        "the database is filled, but what must not live on was not ended: start nothing on it, and call `tanya restore --voids-only`",
    )
}

/// Ends what must not live on in a database that was put in place by other means. No server may run on it.
pub async fn void(
    url: &str,
    secret: &SecretKey,
    clock: &Clock,
    wishes: &Wishes,
) -> anyhow::Result<Restored> {
    let _lock = storage::sqlite_file(url)
        .map(|path| storage::lock(&path))
        .transpose()?;
    let before = Store::open_as_it_is(url).await?;
    let found = {
        let mut connection = before.connection().await?;
        look(&mut connection, before.backend(), secret).await
    };
    before.close().await;
    let found = found?;
    let applied = Store::migrate(url).await?;
    let store = Store::open_beside(url).await?;
    let voided = void_and_check(&store, secret, clock, wishes, &found).await;
    store.close().await;
    Ok(Restored {
        found,
        applied,
        voided: voided?,
    })
}

fn refuse_doubts(found: &Found) -> anyhow::Result<()> {
    match &found.record {
        Record::Whole(_) | Record::None => Ok(()),
        Record::Doubtful(why) => bail!("the record of sensitive steps is not whole: {why}"),
    }
}

/// Ends what must not live on, whatever the record looks like, and then looks at the record.
async fn void_and_check(
    store: &Store,
    secret: &SecretKey,
    clock: &Clock,
    wishes: &Wishes,
    found: &Found,
) -> anyhow::Result<Voided> {
    let keys = KeyRing::open(store, secret, clock).await?;
    let audit = Audit::new(keys.audit);
    let end = match &found.record {
        Record::Whole(end) => Some(end),
        Record::None | Record::Doubtful(_) => None,
    };
    let voided = restored::void(store, &audit, secret, clock.now(), wishes, end).await?;
    audit.verify(store, None).await.context(
        "what must not live on was ended, but the record of sensitive steps is not whole",
    )?;
    Ok(voided)
}
