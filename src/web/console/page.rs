//! What every page of the console shares: its headers, the layout around it, and how moments, people and entries
//! are written.

use askama::Template;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::super::WebState;
use super::super::error::Refusal;
use super::super::pages;
use super::view::{Choice, NoticePage, Shell, When, Words};
use crate::agent::SignedIn;
use crate::agent::role::{Permission, Role};
use crate::clock::{Millis, local, rfc3339, shown};
use crate::conversation::desk::Agent;
use crate::knowledge::Knowledge;
use crate::storage::Connection;
use crate::storage::ticket::{self, ActiveCount};

/// The policy of every page: nothing inline, nothing from elsewhere, framed by nobody.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// A page.
pub fn render(page: &impl Template) -> Response {
    pages::page(POLICY, page)
}

/// A page that says that something is wrong.
pub fn render_as(status: StatusCode, page: &impl Template) -> Response {
    (status, render(page)).into_response()
}

/// What every answer of the console carries besides.
pub fn headers(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(
        HeaderName::from_static("cross-origin-opener-policy"),
        HeaderValue::from_static("same-origin"),
    );
    // Without it browsers do not say which page a form comes from.
    headers.insert(
        header::REFERRER_POLICY,
        HeaderValue::from_static("same-origin"),
    );
    let cached = headers.entry(header::CACHE_CONTROL);
    cached.or_insert(HeaderValue::from_static("no-store"));
    response
}

/// The words of somebody's pages.
pub fn words(who: &SignedIn, here: &str) -> Words {
    Words {
        english: who.language == "en",
        csrf: who.csrf.clone(),
        here: here.to_owned(),
    }
}

/// A moment; nothing where there is none.
pub fn when(at: Option<Millis>) -> When {
    at.map_or_else(When::default, |at| When {
        at: rfc3339(at),
        text: shown(at),
    })
}

/// A moment within a day that the page names.
pub fn clock_time(at: Millis) -> When {
    When {
        at: rfc3339(at),
        text: local(at).strftime("%H:%M").to_string(),
    }
}

/// A role in the page's language.
pub fn role_name(w: &Words, role: Role) -> &'static str {
    match role {
        Role::Officer => w.t("Pegawai", "Officer"),
        Role::It => w.t("Unit Teknologi Maklumat", "IT unit"),
        Role::Editor => w.t("Penyunting", "Editor"),
        Role::Supervisor => w.t("Penyelia", "Supervisor"),
        Role::Auditor => w.t("Juruaudit", "Auditor"),
        Role::Admin => w.t("Pentadbir", "Administrator"),
    }
}

/// An officer's name; empty where nobody is known by that id.
pub fn named(names: &[(String, String)], id: &str) -> String {
    let name = names.iter().find(|(known, _)| known == id);
    name.map_or_else(String::new, |(_, name)| name.clone())
}

/// An officer as the desk knows them.
pub fn at_desk(who: &SignedIn) -> Agent<'_> {
    Agent {
        id: &who.id,
        name: &who.name,
        supervises: who.may(Permission::AssignOthers),
    }
}

/// An entry's name in the page's language; its id where it is gone.
pub fn entry_name(w: &Words, knowledge: &Knowledge, id: &str) -> String {
    let entry = knowledge.book().entry(id);
    entry.map_or_else(
        || id.to_owned(),
        |entry| entry.label.get(w.language()).clone(),
    )
}

/// All entries, by name.
pub fn entries(w: &Words, knowledge: &Knowledge, chosen: Option<&str>) -> Vec<Choice> {
    let entries = knowledge.book().entries.iter();
    let entries = entries.map(|entry| {
        let label = entry.label.get(w.language());
        Choice::new(&entry.id, label, Some(entry.id.as_str()) == chosen)
    });
    entries.collect()
}

/// The layout around a page; `at` names its place in the navigation.
pub async fn shell(
    state: &WebState,
    who: &SignedIn,
    w: &Words,
    at: &str,
) -> Result<Shell, Refusal> {
    let mut connection = state.limits.store.connection().await?;
    let counts = match who.may(Permission::ViewQueue) {
        true => ticket::active_counts(&mut connection, state.limits.clock.now()).await?,
        false => Vec::new(),
    };
    Ok(shell_around(&mut connection, who, w, at, &counts).await?)
}

/// The same where it is known already what is to be done.
pub async fn shell_around(
    connection: &mut Connection,
    who: &SignedIn,
    w: &Words,
    at: &str,
    counts: &[ActiveCount],
) -> sqlx::Result<Shell> {
    let mut shell = Shell {
        at: at.to_owned(),
        name: who.name.clone(),
        role: role_name(w, who.role).to_owned(),
        present: who.present,
        sound: true,
        keys: true,
        can_canned: who.may(Permission::ManageCanned),
        can_propose: who.may(Permission::ProposeKnowledge),
        can_roll_back: who.may(Permission::RollBackKnowledge),
        can_audit: who.may(Permission::ViewAudit),
        can_agents: who.may(Permission::ManageAgents),
        can_reports: who.may(Permission::ViewReports),
        can_incidents: who.may(Permission::ManageIncidents),
        can_calendar: who.may(Permission::EditCalendar),
        can_rights: who.may(Permission::FileDataRequest),
        ..Shell::default()
    };
    if who.may(Permission::ViewQueue) {
        shell.open = counts.iter().map(|count| count.count.unsigned_abs()).sum();
        shell.waiting = ticket::waiting(connection).await?;
    }
    Ok(shell)
}

/// What somebody is told who may not do something.
pub fn forbidden(who: &SignedIn) -> Response {
    let w = words(who, "/console");
    let page = NoticePage {
        code: "403".to_owned(),
        title: w.t("Tidak dibenarkan", "Not allowed").to_owned(),
        text: w
            .t(
                "Peranan tuan/puan tidak membenarkan tindakan ini.",
                "Your role does not allow this.",
            )
            .to_owned(),
        href: "/console".to_owned(),
        link: w.t("Kembali ke konsol", "Back to the console").to_owned(),
        w,
    };
    render_as(StatusCode::FORBIDDEN, &page)
}

/// What somebody is told whose ticket is not there.
pub fn not_found(who: &SignedIn) -> Response {
    let w = words(who, "/console");
    let page = NoticePage {
        code: "404".to_owned(),
        title: w.t("Tidak dijumpai", "Not found").to_owned(),
        text: w
            .t("Tiada apa-apa di sini.", "There is nothing here.")
            .to_owned(),
        href: "/console".to_owned(),
        link: w.t("Kembali ke konsol", "Back to the console").to_owned(),
        w,
    };
    render_as(StatusCode::NOT_FOUND, &page)
}

/// What somebody is told whose sign-in is over.
pub fn ended() -> Response {
    let w = Words::default();
    let page = NoticePage {
        code: String::new(),
        title: "Sesi telah tamat / The session has ended".to_owned(),
        text: "Sila log masuk semula. / Please sign in again.".to_owned(),
        href: "/console/masuk".to_owned(),
        link: "Log masuk / Sign in".to_owned(),
        w,
    };
    render(&page)
}
