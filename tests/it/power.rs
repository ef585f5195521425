//! The power goes: what was committed before the last whole write is there, whatever the end of the log looks like.

use std::path::Path;
use std::process::Command;

use tanya::audit::{Audit, Entry, Event};
use tanya::clock::Clock;
use tanya::key_ring::KeyRing;
use tanya::secret::SecretKey;
use tanya::storage::{Store, copy};

use crate::support::SECRET_KEY;

const COMMITS: i64 = 100;
const ROUNDS: usize = 240;

struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).unwrap()
    }
}

fn url(folder: &Path) -> String {
    format!("sqlite://{}", folder.join("tanya.db").display())
}

async fn write(store: &Store, audit: &Audit, number: i64) {
    let detail = format!(
        "{number} {}",
        "panjang ".repeat(usize::try_from(number % 40).unwrap())
    );
    let mut transaction = store.begin().await.unwrap();
    let entry = Entry::new(Event::LinkOpened, "opened").detail(&detail);
    audit.record(&mut transaction, entry, number).await.unwrap();
    transaction.commit().await.unwrap();
}

/// What a torn write leaves: nothing, zeros, what was there before, or one changed bit.
fn tear(log: &[u8], place: usize, way: usize, dice: &mut Dice) -> Vec<u8> {
    let mut torn = log[..place].to_vec();
    match way {
        0 => {}
        1 => torn.resize(log.len(), 0),
        2 => torn.extend((place..log.len()).map(|_| dice.below(256) as u8)),
        _ => {
            torn = log.to_vec();
            torn[place] ^= 1 << dice.below(8);
        }
    }
    torn
}

#[tokio::test]
async fn ac_106_a_log_that_was_torn_loses_nothing_that_was_written_before() {
    let folder = tempfile::tempdir().unwrap();
    let live = folder.path();
    let secret = SecretKey::parse(SECRET_KEY).unwrap();
    let store = Store::open(&url(live)).await.unwrap();
    let keys = KeyRing::open(&store, &secret, &Clock::shifted(0)).await;
    let audit = Audit::new(keys.unwrap().audit);
    store.close().await;
    drop(store);
    // From here on everything is in the log.
    let store = Store::open(&url(live)).await.unwrap();
    let mut ends = Vec::new();
    for number in 0..COMMITS {
        write(&store, &audit, number).await;
        ends.push(std::fs::metadata(live.join("tanya.db-wal")).unwrap().len());
    }
    assert!(ends.is_sorted() && ends[0] < ends[99], "{ends:?}");
    // By another process: to open and close a file in this one would drop SQLite's locks on it.
    let cut = live.join("cut");
    std::fs::create_dir(&cut).unwrap();
    let copied = Command::new("cp")
        .arg(live.join("tanya.db"))
        .arg(live.join("tanya.db-wal"))
        .arg(&cut)
        .status();
    assert!(copied.unwrap().success());
    store.close().await;

    let database = std::fs::read(cut.join("tanya.db")).unwrap();
    let log = std::fs::read(cut.join("tanya.db-wal")).unwrap();
    let mut dice = Dice(106);
    for round in 0..ROUNDS {
        let place = dice.below(log.len());
        let way = round % 4;
        let torn = tear(&log, place, way, &mut dice);
        let again = live.join(format!("round{round}"));
        std::fs::create_dir(&again).unwrap();
        std::fs::write(again.join("tanya.db"), &database).unwrap();
        std::fs::write(again.join("tanya.db-wal"), &torn).unwrap();
        let store = Store::open(&url(&again)).await.unwrap();
        let end = audit.verify(&store, None).await.unwrap();
        let whole = ends.iter().filter(|end| **end <= place as u64).count();
        assert_eq!(
            end.seq, whole as i64,
            "round {round}: torn at {place}, way {way}"
        );
        let mut connection = store.connection().await.unwrap();
        assert_eq!(
            copy::faults(&mut connection).await.unwrap(),
            Vec::<String>::new()
        );
        drop(connection);
        // And it goes on from there.
        write(&store, &audit, 1_000).await;
        assert_eq!(audit.verify(&store, None).await.unwrap().seq, end.seq + 1);
        store.close().await;
        std::fs::remove_dir_all(&again).unwrap();
    }
}
