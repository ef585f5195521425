//! The calendar's page: nobody writes over what somebody else saved meanwhile without having seen it.

use reqwest::StatusCode;
use tanya::agent::role::Role;

use crate::on_both_databases;
use crate::support::desk::{Officer, between};

/// Saves a text that was made from the page as it was shown; the status and the page that comes of it.
async fn save(officer: &Officer<'_>, shown: &str, yaml: &str) -> (StatusCode, String) {
    let base = between(shown, "name=\"base\" value=\"", "\"");
    let fields = [("yaml", yaml), ("do", "save"), ("base", base)];
    let response = officer.post("/console/kalendar", &fields).await;
    (response.status(), response.text().await.unwrap())
}

on_both_databases! {
    async fn two_who_edit_the_calendar_at_once_see_each_other(app: TestApp) {
        let one = app.officer("boss", Role::Supervisor).await;
        let other = app.officer("siti", Role::Supervisor).await;
        let shown = one.page("/console/kalendar").await;
        let shown_to_other = other.page("/console/kalendar").await;
        let yaml = std::fs::read_to_string("knowledge/calendar.yaml").unwrap();
        let first = format!("# Disemak oleh yang pertama.\n{yaml}");
        let second = format!("# Disemak oleh yang kedua.\n{yaml}");
        assert_eq!(save(&one, &shown, &first).await.0, StatusCode::OK);
        // The second is shown both, and its text is not lost.
        let (status, page) = save(&other, &shown_to_other, &second).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(page.contains("yang pertama") && page.contains("yang kedua"), "{page}");
        assert!(page.contains("Pegawai boss"), "{page}");
        let editions = "SELECT COUNT(*) FROM edition WHERE author <> ''";
        let saved = app.database.count(app.folder(), editions).await;
        // Having seen it, it is saved.
        assert_eq!(save(&other, &page, &second).await.0, StatusCode::OK);
        assert_eq!(app.database.count(app.folder(), editions).await, saved + 1);
        assert!(one.page("/console/kalendar").await.contains("yang kedua"));
    }
}
