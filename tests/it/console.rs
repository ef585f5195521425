//! The officers' console: who gets in, who may do what, and what it never does.

use reqwest::StatusCode;
use tanya::agent::role::Role;
use tanya::secret::Secret;
use tanya::web::console::{Access, ROUTES};

use crate::on_both_databases;
use crate::support::desk::{Officer, between, browser, code_of, cookie_of};

const NUMBER: &str = "TK-2026-000001-1";

/// The path of a row, for a ticket, a username or an id that is there or not.
fn path(row: &str, number: &str) -> String {
    row.replace("{number}", number)
        .replace("{username}", "tiada")
        .replace("{id}", "tiada")
        .replace("{token}", "tiada")
}

async fn asks(officer: &Officer<'_>, method: &str, path: &str) -> StatusCode {
    match method {
        "GET" => officer.get(path).await.status(),
        _ => officer.post(path, &[]).await.status(),
    }
}

on_both_databases! {
    async fn ac_54_every_route_and_every_role_is_as_the_table_says(app: TestApp) {
        let roles = [Role::Officer, Role::It, Role::Editor, Role::Supervisor, Role::Auditor, Role::Admin];
        let chat = app.begin().await;
        let own = chat.hand_over("ralat").await;
        for role in roles {
            let officer = app.officer(role.as_str(), role).await;
            for row in ROUTES.iter().filter(|row| !row.path.ends_with("keluar") && !row.path.ends_with("keluar-semua") && row.path != "/console/langsung") {
                let allowed = match row.access {
                    Access::Open | Access::SignedIn => true,
                    Access::May(permission) => role.may(permission),
                };
                let status = asks(&officer, row.method, &path(row.path, NUMBER)).await;
                let forbidden = status == StatusCode::FORBIDDEN;
                assert_eq!(forbidden, !allowed, "{} {} as {}: {status}", row.method, row.path, role.as_str());
                assert!(!status.is_server_error(), "{} {}: {status}", row.method, row.path);
            }
            if role.may(tanya::agent::role::Permission::ViewTicket) {
                assert_eq!(officer.get(&format!("/console/tiket/{own}")).await.status(), 200);
                let missing = officer.get(&format!("/console/tiket/{NUMBER}")).await;
                assert_eq!(missing.status(), 404);
            }
        }
        for row in ROUTES.iter().filter(|row| row.access != Access::Open) {
            let url = app.url(&path(row.path, &own));
            let request = match row.method {
                "GET" => browser().get(url),
                _ => browser().post(url).header("content-type", "application/x-www-form-urlencoded"),
            };
            let response = request.send().await.unwrap();
            match row.method {
                "GET" => assert_eq!(response.headers()["location"], "/console/masuk", "{}", row.path),
                _ => assert_eq!(response.status(), 401, "{}", row.path),
            }
        }
    }

    async fn ac_65_no_form_of_others_does_anything(app: TestApp) {
        let siti = app.officer("siti", Role::Supervisor).await;
        let chat = app.begin().await;
        let number = chat.hand_over("ralat").await;
        for row in ROUTES.iter().filter(|row| row.method == "POST" && row.access != Access::Open) {
            let path = path(row.path, &number);
            // Without the token of our own page, and with another's.
            for csrf in ["", "x"] {
                let response = app.post_form(&path, &siti.cookie, &[("csrf", csrf)]).await;
                assert_eq!(response.status(), 403, "{path}");
            }
            for foreign in ["https://evil.example", "null"] {
                let response = browser().post(app.url(&path)).header("cookie", &siti.cookie).header("origin", foreign)
                    .header("content-type", "application/x-www-form-urlencoded").body(format!("csrf={}", siti.csrf)).send().await.unwrap();
                assert_eq!(response.status(), 403, "{path}");
            }
            let response = browser().post(app.url(&path)).header("cookie", &siti.cookie).json(&serde_json::json!({"csrf": siti.csrf})).send().await.unwrap();
            let status = response.status().as_u16();
                assert!(matches!(status, 403 | 415), "{path}: {status}");
        }
        let changed = "SELECT COUNT(*) FROM ticket_event WHERE agent <> ''";
        assert_eq!(app.database.count(app.folder(), changed).await, 0);
    }

    async fn ac_59_who_guesses_waits_and_no_code_is_taken_twice(app: TestApp) {
        let password = "kuda lumping hijau 7";
        let secret = app.app.agents.ready("siti", "Siti", Role::Officer, Secret::new(password.to_owned())).await.unwrap();
        // A name that is nobody's looks the same.
        let wrong = app.post_form("/console/masuk", "", &[("username", "siti"), ("password", "salah salah salah")]).await;
        let nobody = app.post_form("/console/masuk", "", &[("username", "tina"), ("password", "salah salah salah")]).await;
        assert_eq!((wrong.status(), nobody.status()), (StatusCode::UNPROCESSABLE_ENTITY, StatusCode::UNPROCESSABLE_ENTITY));
        let (wrong, nobody) = (wrong.text().await.unwrap(), nobody.text().await.unwrap());
        assert_eq!(wrong.replace("siti", "tina"), nobody);

        let right = [("username", "siti"), ("password", password)];
        let first = app.post_form("/console/masuk", "", &right).await;
        let code = code_of(secret.reveal(), app.app.clock.now());
        let second = app.post_form("/console/kod", &cookie_of(&first), &[("code", &code)]).await;
        assert_eq!(second.status(), 303);
        // The cookie of the first step opens nothing.
        let page = browser().get(app.url("/console")).header("cookie", cookie_of(&first)).send().await.unwrap();
        assert_eq!(page.status(), 303);
        let first = app.post_form("/console/masuk", "", &right).await;
        let replayed = app.post_form("/console/kod", &cookie_of(&first), &[("code", &code)]).await;
        assert_eq!(replayed.status(), 422);

        for _ in 0..5 {
            app.post_form("/console/masuk", "", &[("username", "siti"), ("password", "salah salah salah")]).await;
            app.post_form("/console/masuk", "", &[("username", "tina"), ("password", "salah salah salah")]).await;
        }
        for name in ["siti", "tina"] {
            let shut = app.post_form("/console/masuk", "", &[("username", name), ("password", password)]).await;
            assert_eq!(shut.status(), 422);
            assert!(shut.text().await.unwrap().contains("15 minit"), "{name}");
        }
        app.app.clock.advance(16 * 60_000);
        let again = app.post_form("/console/masuk", "", &right).await;
        assert_eq!(again.status(), 303);
    }

    async fn ac_59_tries_side_by_side_are_no_more_than_tries_one_after_another(app: TestApp) {
        let password = "kuda lumping hijau 7";
        let siti = app.app.agents.ready("siti", "Siti", Role::Officer, Secret::new(password.to_owned()));
        siti.await.unwrap();
        let wrong = [("username", "siti"), ("password", "salah salah salah")];
        let tries = (0..40).map(|_| app.post_form("/console/masuk", "", &wrong));
        let mut refused = 0;
        for answer in futures_util::future::join_all(tries).await {
            assert_eq!(answer.status(), 422);
            refused += usize::from(answer.text().await.unwrap().contains("15 minit"));
        }
        let looked_at = "SELECT COUNT(*) FROM audit WHERE event = 'console.sign-in' AND outcome = 'wrong'";
        let looked_at = app.database.count(app.folder(), looked_at).await;
        assert!((5..=20).contains(&looked_at), "{looked_at} of 40 were looked at");
        assert_eq!(refused as i64, 40 - looked_at);
        // Nor is the right one, until a while has passed.
        let right = [("username", "siti"), ("password", password)];
        assert_eq!(app.post_form("/console/masuk", "", &right).await.status(), 422);
        app.app.clock.advance(16 * 60_000);
        assert_eq!(app.post_form("/console/masuk", "", &right).await.status(), 303);
    }

    async fn an_invitation_is_taken_up_once_and_a_recovery_code_too(app: TestApp) {
        let agents = &app.app.agents;
        let token = agents.add("nadia", "Nadia", Role::It, "").await.unwrap();
        let path = format!("/console/jemputan/{token}");
        let page = browser().get(app.url(&path)).send().await.unwrap().text().await.unwrap();
        let secret = between(&page, "secret=", "&");
        let code = code_of(secret, app.app.clock.now());
        let weak = app.post_form(&path, "", &[("password", "nadia"), ("again", "nadia"), ("code", &code)]).await;
        assert_eq!(weak.status(), 422);
        let chosen = "tujuh ekor ayam serama";
        let fields = [("password", chosen), ("again", chosen), ("code", code.as_str())];
        let enrolled = app.post_form(&path, "", &fields).await;
        assert_eq!(enrolled.status(), 200);
        let page = enrolled.text().await.unwrap();
        let code = page.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').find(|word| {
            word.len() == 14 && word.matches('-').count() == 2
        });
        let recovery = code.unwrap_or_else(|| panic!("no recovery code in {page}")).to_owned();
        assert_eq!(app.post_form(&path, "", &fields).await.status(), 410);
        for expected in [303, 422] {
            let first = app.post_form("/console/masuk", "", &[("username", "nadia"), ("password", chosen)]).await;
            let second = app.post_form("/console/kod", &cookie_of(&first), &[("code", &recovery)]).await;
            assert_eq!(second.status(), expected);
        }
        agents.disable("nadia", "").await.unwrap();
        let out = app.post_form("/console/masuk", "", &[("username", "nadia"), ("password", chosen)]).await;
        assert_eq!(out.status(), 422);
    }

    async fn ac_34_a_sign_in_ends_when_nobody_moves_and_after_ten_hours(app: TestApp) {
        let siti = app.officer("siti", Role::Officer).await;
        let minutes = |count: i64| count * 60_000;
        app.app.clock.advance(minutes(14));
        assert_eq!(siti.get("/console").await.status(), 200);
        app.app.clock.advance(minutes(14));
        // What the page does by itself keeps nobody signed in.
        let refreshed = browser().get(app.url("/console")).header("cookie", &siti.cookie).header("x-console-refresh", "1").send().await.unwrap();
        assert_eq!(refreshed.status(), 200);
        app.app.clock.advance(minutes(2));
        assert_eq!(siti.get("/console").await.status(), 303);

        let rahim = app.officer("rahim", Role::Officer).await;
        for _ in 0..59 {
            app.app.clock.advance(minutes(10));
            assert_eq!(rahim.get("/console").await.status(), 200);
        }
        app.app.clock.advance(minutes(12));
        assert_eq!(rahim.get("/console").await.status(), 303);
    }

    async fn ac_58_what_is_sealed_is_seen_with_a_reason_that_is_recorded(app: TestApp) {
        let siti = app.officer("siti", Role::Officer).await;
        let nadia = app.officer("nadia", Role::It).await;
        let chat = app.begin().await;
        let number = chat.hand_over("ralat").await;
        let path = format!("/console/tiket/{number}/dedah");
        assert_eq!(nadia.post(&path, &[("reason", "perlu untuk semakan")]).await.status(), 403);
        assert_eq!(siti.post(&path, &[("reason", "")]).await.status(), 422);
        assert_eq!(siti.post(&path, &[("reason", "perlu untuk semakan")]).await.status(), 200);
        let recorded = "SELECT COUNT(*) FROM ticket_event WHERE kind = 'unmasked'";
        assert_eq!(app.database.count(app.folder(), recorded).await, 1);
        let audited = "SELECT COUNT(*) FROM audit WHERE event = 'ticket' AND outcome = 'shown'";
        assert_eq!(app.database.count(app.folder(), audited).await, 1);
    }
}
