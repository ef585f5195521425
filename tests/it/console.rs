//! The officers' console: who gets in, who may do what, and what it never does.

use std::time::Duration;

use reqwest::{Response, StatusCode};
use tanya::agent::role::Role;
use tanya::secret::Secret;
use tanya::web::console::{Access, ROUTES, Row};

use crate::on_both_databases;
use crate::support::desk::{Officer, between, code_of, cookie_of};
use crate::support::stream::EventStream;

const NUMBER: &str = "TK-2026-000001-1";

/// What a path may name.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Named<'a> {
    /// Something that is there.
    There { ticket: &'a str },
    /// Something that could be there, and is not.
    Missing,
    /// What could be no number and no name.
    WrongType,
}

/// The path of a row that names this.
fn path(row: &str, named: Named<'_>) -> String {
    let (number, username, other) = match named {
        Named::There { ticket } => (ticket, "lain", "tiada"),
        Named::Missing => (NUMBER, "tiada", "tiada"),
        Named::WrongType => ("..%2f..%00", "%27--%20x", "%F0%9F%92%A9"),
    };
    row.replace("{number}", number)
        .replace("{username}", username)
        .replace("{id}", other)
        .replace("{token}", other)
}

async fn asks(officer: &Officer<'_>, method: &str, path: &str) -> Response {
    match method {
        "GET" => officer.get(path).await,
        _ => officer.post(path, &[]).await,
    }
}

/// Every row but those that end the sign-in, and the stream, which does not end.
fn rows() -> impl Iterator<Item = &'static Row> {
    let ends = |row: &Row| row.path.ends_with("keluar") || row.path.ends_with("keluar-semua");
    ROUTES
        .iter()
        .filter(move |row| !ends(row) && row.path != "/console/langsung")
}

on_both_databases! {
    async fn ac_54_every_route_and_every_role_is_as_the_table_says(app: TestApp) {
        let chat = app.begin().await;
        let ticket = chat.hand_over("ralat").await;
        app.officer("lain", Role::Officer).await;
        let all = [Named::There { ticket: &ticket }, Named::Missing, Named::WrongType];
        for role in Role::ALL {
            let officer = app.officer(role.as_str(), role).await;
            for row in rows() {
                let allowed = match row.access {
                    Access::Open | Access::SignedIn => true,
                    Access::May(permission) => role.may(permission),
                };
                // Where a path names nothing there is one case of it.
                let cases = if row.path.contains('{') { &all[..] } else { &all[..1] };
                let mut refusals = Vec::new();
                for named in cases {
                    let response = asks(&officer, row.method, &path(row.path, *named)).await;
                    let status = response.status();
                    let case = format!("{} {} {named:?} as {}: {status}", row.method, row.path, role.as_str());
                    assert_eq!(status == StatusCode::FORBIDDEN, !allowed, "{case}");
                    assert!(!status.is_server_error(), "{case}");
                    if !allowed {
                        refusals.push(response.text().await.unwrap());
                    } else if *named != all[0] && row.path.contains("{number}") {
                        assert!(status.is_client_error(), "{case}");
                    }
                }
                // Who may not do it does not learn what there is.
                assert!(refusals.windows(2).all(|pair| pair[0] == pair[1]), "{} {}", row.method, row.path);
            }
        }
    }

    async fn ac_54_without_a_sign_in_nothing_is_told_apart(app: TestApp) {
        let chat = app.begin().await;
        let ticket = chat.hand_over("ralat").await;
        for row in ROUTES.iter().filter(|row| row.access != Access::Open) {
            for named in [Named::There { ticket: &ticket }, Named::Missing, Named::WrongType] {
                let url = app.url(&path(row.path, named));
                let request = match row.method {
                    "GET" => app.browser.get(url),
                    _ => app.browser.post(url).header("content-type", "application/x-www-form-urlencoded"),
                };
                let response = request.send().await.unwrap();
                match row.method {
                    "GET" => assert_eq!(response.headers()["location"], "/console/masuk", "{}", row.path),
                    _ => assert_eq!(response.status(), 401, "{}", row.path),
                }
            }
        }
    }

    async fn ac_54_a_persons_chat_and_ticket_are_theirs_alone(app: TestApp) {
        let chat = app.begin().await;
        let ticket = chat.hand_over("ralat").await;
        let stranger = app.begin().await;
        let missing = uuid::Uuid::now_v7().to_string();
        let rests = [("GET", "/messages?after=0"), ("GET", "/events"), ("POST", "/messages"), ("POST", "/feedback"), ("POST", "/proof"), ("DELETE", "")];
        for (method, rest) in rests {
            let mut bodies = Vec::new();
            for id in [chat.id.as_str(), missing.as_str(), "bukan-id"] {
                let url = app.url(&format!("/api/v1/conversations/{id}{rest}"));
                let request = app.client.request(method.parse().unwrap(), url).bearer_auth(&stranger.token);
                let response = request.json(&serde_json::json!({"client_id": missing, "text": "hai"})).send().await.unwrap();
                assert!(response.status().is_client_error(), "{method} {rest} {id}: {}", response.status());
                bodies.push((response.status(), response.text().await.unwrap()));
            }
            assert!(bodies[0] == bodies[1], "{method} {rest}: {bodies:#?}");
        }
        // What is another's and what is nobody's is answered alike, word for word.
        let foreign = stranger.say(&ticket).await;
        let nobodys_number = tanya::ticket::TicketNumber::new(2026, 999_999).to_string();
        let nobodys = stranger.say(&nobodys_number).await;
        assert_eq!(foreign[0]["text"].as_str().unwrap().replace(&ticket, "N"), nobodys[0]["text"].as_str().unwrap().replace(&nobodys_number, "N"));
    }

    async fn ac_65_no_form_of_others_does_anything(app: TestApp) {
        let siti = app.officer("siti", Role::Supervisor).await;
        let chat = app.begin().await;
        let number = chat.hand_over("ralat").await;
        for row in ROUTES.iter().filter(|row| row.method == "POST" && row.access != Access::Open) {
            let path = path(row.path, Named::There { ticket: &number });
            // Without the token of our own page, and with another's.
            for csrf in ["", "x"] {
                let response = app.post_form(&path, &siti.cookie, &[("csrf", csrf)]).await;
                assert_eq!(response.status(), 403, "{path}");
            }
            for foreign in ["https://evil.example", "null"] {
                let response = app.browser.post(app.url(&path)).header("cookie", &siti.cookie).header("origin", foreign)
                    .header("content-type", "application/x-www-form-urlencoded").body(format!("csrf={}", siti.csrf)).send().await.unwrap();
                assert_eq!(response.status(), 403, "{path}");
            }
            let response = app.browser.post(app.url(&path)).header("cookie", &siti.cookie).json(&serde_json::json!({"csrf": siti.csrf})).send().await.unwrap();
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
        let page = app.browser.get(app.url("/console")).header("cookie", cookie_of(&first)).send().await.unwrap();
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
        let page = app.browser.get(app.url(&path)).send().await.unwrap().text().await.unwrap();
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

    async fn a_password_is_changed_by_who_knows_it_and_other_browsers_are_out(app: TestApp) {
        let siti = app.officer("siti", Role::Officer).await;
        let password = "kuda lumping hijau 7";
        let chosen = "tujuh ekor ayam serama";
        app.app.clock.advance(31_000);
        let other = app.sign_in_again("siti", password, &siti.secret).await;
        assert_eq!(app.browser.get(app.url("/console")).header("cookie", &other).send().await.unwrap().status(), 200);
        let path = "/console/akaun/kata-laluan";
        for (current, new, again) in [("salah salah salah", chosen, chosen), (password, chosen, "lain"), (password, "siti", "siti")] {
            let refused = siti.post(path, &[("current", current), ("password", new), ("again", again)]).await;
            assert_eq!(refused.status(), 422);
        }
        let changed = siti.post(path, &[("current", password), ("password", chosen), ("again", chosen)]).await;
        assert!(changed.text().await.unwrap().contains("Kata laluan telah ditukar"));
        assert_eq!(siti.get("/console").await.status(), 200);
        assert_eq!(app.browser.get(app.url("/console")).header("cookie", &other).send().await.unwrap().status(), 303);
        let old = app.post_form("/console/masuk", "", &[("username", "siti"), ("password", password)]).await;
        assert_eq!(old.status(), 422);

        let path = "/console/akaun/kod-pemulihan";
        assert_eq!(siti.post(path, &[("current", password)]).await.status(), 422);
        let page = siti.post(path, &[("current", chosen)]).await.text().await.unwrap();
        let recovery = between(&page, "<li><code>", "<").to_owned();
        let first = app.post_form("/console/masuk", "", &[("username", "siti"), ("password", chosen)]).await;
        let second = app.post_form("/console/kod", &cookie_of(&first), &[("code", &recovery)]).await;
        assert_eq!(second.status(), 303);
        let audited = "SELECT COUNT(*) FROM audit WHERE event = 'console.agent' AND outcome IN ('password', 'recovery')";
        assert_eq!(app.database.count(app.folder(), audited).await, 2);
    }

    async fn ac_34_a_sign_in_ends_when_nobody_moves_and_after_ten_hours(app: TestApp) {
        let siti = app.officer("siti", Role::Officer).await;
        let minutes = |count: i64| count * 60_000;
        app.app.clock.advance(minutes(14));
        assert_eq!(siti.get("/console").await.status(), 200);
        app.app.clock.advance(minutes(14));
        // What the page does by itself keeps nobody signed in.
        let refreshed = app.browser.get(app.url("/console")).header("cookie", &siti.cookie).header("x-console-refresh", "1").send().await.unwrap();
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

    async fn ac_53_who_is_shut_out_hears_nothing_more_after_two_seconds(app: TestApp) {
        let siti = app.officer("siti", Role::Officer).await;
        let mut stream = EventStream::new(siti.get("/console/langsung").await);
        let chat = app.begin().await;
        chat.hand_over("ralat").await;
        assert_eq!(stream.next().await.unwrap().name, "changed");
        app.app.agents.disable("siti", "").await.unwrap();
        let ended = async { while stream.next().await.unwrap().name != "ended" {} };
        tokio::time::timeout(Duration::from_secs(2), ended).await.expect("it ends");
        assert!(stream.next().await.is_none());
    }

    async fn ac_55_what_a_form_names_beside_the_ticket_is_authorised_too(app: TestApp) {
        let chat = app.begin().await;
        let number = chat.hand_over("ralat").await;
        let siti = app.officer("siti", Role::Officer).await;
        let boss = app.officer("boss", Role::Supervisor).await;
        app.officer("audit", Role::Auditor).await;
        let ids = app.app.agents.all().await.unwrap();
        let id = |name: &str| ids.iter().find(|row| row.username == name).unwrap().id.clone();
        let path = |act: &str| format!("/console/tiket/{number}/{act}");
        // Work is given by those who answer for it, and to those who may do it.
        assert_eq!(siti.post(&path("tugas"), &[("to", &id("boss"))]).await.status(), 403);
        for nobody in [id("audit"), "tiada".to_owned(), "' OR 1=1".to_owned()] {
            assert_eq!(boss.post(&path("tugas"), &[("to", &nobody)]).await.status(), 400);
        }
        assert_eq!(boss.post(&path("tugas"), &[("to", &id("siti"))]).await.status(), 303);
        // What there is not cannot be named, and what nobody asked for is not taken.
        assert_eq!(siti.post(&path("pautan"), &[("entry", "tiada-entri")]).await.status(), 400);
        assert_eq!(siti.post(&path("pindah"), &[("queue", "siapa")]).await.status(), 400);
        assert_eq!(siti.post(&path("keutamaan"), &[("priority", "sangat")]).await.status(), 400);
        assert_eq!(siti.post(&path("status"), &[("status", "merged")]).await.status(), 400);
        for extra in ["assignee", "role", "number", "person"] {
            assert_eq!(siti.post(&path("pindah"), &[("queue", "teknikal"), (extra, "x")]).await.status(), 400);
        }
        assert_eq!(siti.post(&path("gabung"), &[("into", &number)]).await.status(), 403);
        // A filter is one of those that there are; another shows what one may see anyway.
        for query in ["?view=siapa", "?queue='", "?status=%00", "?channel=x", "?before=9999999999999999999.x", "?before=x", "?q=%25%27%3B--"] {
            assert_eq!(siti.get(&format!("/console{query}")).await.status(), 200, "{query}");
        }
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
