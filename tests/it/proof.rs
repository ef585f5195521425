//! Abuse cases of proving who one is: codes, enumeration, proofs that go astray.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::{Response, StatusCode};
use serde_json::{Value, json};

use crate::on_both_databases;
use crate::support::proof::{MALFORMED, TWIN, token_of};
use crate::support::{Chat, Database, SECRET_KEY, TestApp, assert_problem};

const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;

/// A code that is not this one.
fn wrong(code: &str) -> String {
    let number: u64 = code.parse().unwrap();
    format!("{:08}", (number + 1) % 100_000_000)
}

async fn secret_of(response: Response) -> String {
    assert_eq!(response.status(), StatusCode::OK);
    let body: Value = response.json().await.unwrap();
    body["return"].as_str().unwrap().to_owned()
}

async fn left_of(response: Response) -> i64 {
    assert_eq!(response.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["code"], "wrong_code");
    body["attempts_left"].as_i64().unwrap()
}

/// A response as a caller sees it, without what differs at random.
async fn seen(response: Response) -> (u16, BTreeMap<String, String>, String) {
    let status = response.status().as_u16();
    let headers = response.headers().iter();
    let headers = headers.filter(|(name, _)| *name != "date" && *name != "x-request-id");
    let headers =
        headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
    let headers = headers.collect();
    (status, headers, response.text().await.unwrap())
}

/// A request for a payslip in a new chat, and the code that was mailed for it.
async fn asked<'a>(
    app: &'a TestApp,
    person: &crate::support::proof::Sample,
) -> (Chat<'a>, String, String) {
    let chat = app.begin().await;
    let token = chat.ask_for("slip").await;
    let before = app.codes_to(person.email()).await.len();
    let started = app.give_number(&token, &person.kind, &person.id_no).await;
    assert_eq!(started.status(), StatusCode::ACCEPTED);
    let code = app.code(person.email(), before + 1).await;
    (chat, token, code)
}

on_both_databases! {
    async fn ac_01_five_wrong_codes_kill_a_request_even_for_the_right_one(app: TestApp) {
        let zulkifli = app.zulkifli().await;
        let (_chat, token, code) = asked(app, &zulkifli).await;
        for left in (0..5).rev() {
            assert_eq!(left_of(app.give_code(&token, &wrong(&code)).await).await, left);
        }
        assert_problem(app.give_code(&token, &code).await, 422, "locked").await;
        // A new request is needed, and works.
        let (chat, token, code) = asked(app, &zulkifli).await;
        let secret = secret_of(app.give_code(&token, &code).await).await;
        assert_eq!(chat.bring_back(&secret).await.status(), 204);
    }

    async fn ac_02_guesses_side_by_side_are_counted_exactly(app: TestApp) {
        let zulkifli = app.zulkifli().await;
        let (_chat, token, code) = asked(app, &zulkifli).await;
        let guesses = (0..200).map(|place| {
            let code = if place == 150 { code.clone() } else { wrong(&code) };
            let token = token.clone();
            async move { app.give_code(&token, &code).await }
        });
        let answers = futures_util::future::join_all(guesses).await;
        let mut evaluated = 0;
        for answer in answers {
            if answer.status() == 200 {
                evaluated += 1;
                continue;
            }
            let body: Value = answer.json().await.unwrap();
            match body["code"].as_str().unwrap() {
                "wrong_code" => evaluated += 1,
                "locked" | "link_gone" => {}
                other => panic!("{other}"),
            }
        }
        assert!(evaluated <= 5, "{evaluated} guesses were looked at");
        let tries = app.database.count(app.folder(), "SELECT MAX(tries) FROM verification").await;
        assert!(tries <= 5, "{tries}");
    }

    async fn ac_03_a_code_is_good_for_its_own_request_only(app: TestApp) {
        let zulkifli = app.zulkifli().await;
        let second = app.second().await;
        let (_one, first_token, first) = asked(app, &zulkifli).await;
        let (_two, other_chat, other) = asked(app, &zulkifli).await;
        let (_three, other_person, others) = asked(app, &second).await;
        // A code from another chat, of another person, for another purpose: each is a failure.
        for (token, code) in [
            (&first_token, &other),
            (&first_token, &others),
            (&other_chat, &first),
            (&other_chat, &others),
            (&other_person, &first),
            (&other_person, &other),
        ] {
            left_of(app.give_code(token, code).await).await;
        }
        for (token, code) in [(&first_token, &first), (&other_chat, &other), (&other_person, &others)] {
            secret_of(app.give_code(token, code).await).await;
        }
    }

    async fn ac_04_a_right_code_makes_one_proof_however_often_it_is_given(app: TestApp) {
        let zulkifli = app.zulkifli().await;
        let (chat, token, code) = asked(app, &zulkifli).await;
        let given = (0..100).map(|_| app.give_code(&token, &code));
        let answers = futures_util::future::join_all(given).await;
        let mut secrets = Vec::new();
        for answer in answers {
            match answer.status().as_u16() {
                200 => secrets.push(secret_of(answer).await),
                410 | 422 => {}
                other => panic!("{other}"),
            }
        }
        assert_eq!(secrets.len(), 1);
        let brought = (0..20).map(|_| chat.bring_back(&secrets[0]));
        for answer in futures_util::future::join_all(brought).await {
            // The same chat that brings it twice lost the first answer.
            assert_eq!(answer.status(), 204);
        }
        let proofs = app.database.count(app.folder(), "SELECT COUNT(*) FROM proof").await;
        assert_eq!(proofs, 1);
        assert_problem(app.give_code(&token, &code).await, 410, "link_gone").await;
    }

    async fn ac_05_a_code_and_a_link_die_after_ten_minutes_and_stay_dead(app: TestApp) {
        let zulkifli = app.zulkifli().await;
        let (_chat, token, code) = asked(app, &zulkifli).await;
        let unused = app.begin().await.ask_for("slip").await;
        app.app.clock.advance(10 * MINUTE + 1);
        assert_problem(app.give_code(&token, &code).await, 422, "expired").await;
        assert_problem(app.give_number(&unused, "staff", TWIN).await, 410, "link_gone").await;
        // Whoever keeps up closes it, and a clock that goes back brings nothing to life.
        until_closed(app).await;
        app.app.clock.advance(-10 * MINUTE);
        assert_problem(app.give_code(&token, &code).await, 410, "link_gone").await;
        for nonsense in [json!({"token": null, "code": code}), json!({"code": code}), json!({"token": 1, "code": code})] {
            assert_problem(app.verify("finish", nonsense).await, 400, "invalid_body").await;
        }
        assert_problem(app.give_code("", &code).await, 410, "link_gone").await;
        assert_problem(app.give_code("xyz", &code).await, 410, "link_gone").await;
    }

    async fn ac_06_a_new_code_kills_the_old_one_and_keeps_the_failures(app: TestApp) {
        let zulkifli = app.zulkifli().await;
        let (_chat, token, first) = asked(app, &zulkifli).await;
        assert_eq!(left_of(app.give_code(&token, &wrong(&first)).await).await, 4);
        app.app.clock.advance(MINUTE + 1);
        let again = app.verify("start", json!({"token": token})).await;
        assert_eq!(again.status(), 202);
        let second = app.code(zulkifli.email(), 2).await;
        assert_ne!(first, second);
        assert_eq!(left_of(app.give_code(&token, &first).await).await, 3);
        secret_of(app.give_code(&token, &second).await).await;
    }

    async fn ac_07_no_code_and_no_number_is_in_the_database(app: TestApp) {
        let zulkifli = app.zulkifli().await;
        let (_chat, token, code) = asked(app, &zulkifli).await;
        let dump = app.database.dump(app.folder()).await;
        let grouped = format!("{} {}", &code[..4], &code[4..]);
        let plain = zulkifli.id_no.replace('-', "");
        for secret in [&code, &grouped, &token, &plain, &zulkifli.id_no, &zulkifli.name, zulkifli.email.as_ref().unwrap()] {
            assert!(!dump.contains(secret.as_str()), "{secret} is in the database");
        }
    }

    async fn ac_10_one_chat_names_three_identities_a_day(app: TestApp) {
        let people = app.people().await;
        let chat = app.begin().await;
        let fit: Vec<_> = people.iter().filter(|it| it.kind == "staff" && it.active && it.email.is_some()).take(4).collect();
        for person in &fit {
            let token = chat.ask_for("slip").await;
            let started = app.give_number(&token, &person.kind, &person.id_no).await;
            assert_eq!(started.status(), 202);
        }
        for person in &fit[..3] {
            app.code(person.email(), 1).await;
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert!(app.codes_to(fit[3].email()).await.is_empty());
    }

    async fn ac_11_known_and_unknown_look_alike_to_the_byte(app: TestApp) {
        let people = app.people().await;
        let find = |note: &str| people.iter().find(|it| it.note.contains(note)).unwrap().id_no.clone();
        let mut starts = Vec::new();
        let mut wrongs = Vec::new();
        for id_no in [
            people[0].id_no.clone(),
            TWIN.to_owned(),
            find("left the service"),
            find("no e-mail"),
            find("never registered"),
        ] {
            let chat = app.begin().await;
            let token = chat.ask_for("slip").await;
            starts.push(seen(app.give_number(&token, "staff", &id_no).await).await);
            // The resend wait is counted for nobody too.
            starts.push(seen(app.give_number(&token, "staff", &id_no).await).await);
            wrongs.push(seen(app.give_code(&token, "00000000").await).await);
            let replies = chat.messages(0).await;
            assert!(replies.iter().all(|it| !it.to_string().contains('•')), "no address before a proof");
        }
        for one in starts.chunks(2).skip(1) {
            assert_eq!(one, &starts[..2]);
        }
        assert!(wrongs.iter().all(|it| *it == wrongs[0]), "{wrongs:#?}");
        assert_problem(app.give_number(&app.begin().await.ask_for("slip").await, "staff", MALFORMED).await, 422, "invalid_id_no").await;
    }

    async fn ac_13_a_number_of_nobodys_locks_like_any_other(app: TestApp) {
        let zulkifli = app.zulkifli().await;
        let mut answers = Vec::new();
        for id_no in [zulkifli.id_no.as_str(), TWIN] {
            let mut codes = Vec::new();
            for _ in 0..4 {
                let chat = app.begin().await;
                let token = chat.ask_for("slip").await;
                app.give_number(&token, "staff", id_no).await;
                for _ in 0..5 {
                    let (status, _, body) = seen(app.give_code(&token, "00000000").await).await;
                    let body: Value = serde_json::from_str(&body).unwrap();
                    codes.push((status, body["code"].clone(), body["attempts_left"].clone()));
                }
            }
            answers.push(codes);
        }
        assert_eq!(answers[0], answers[1]);
        // From the tenth failure on it gets slow.
        assert!(answers[0].iter().any(|(status, _, _)| *status == 429));
    }

    async fn ac_14_before_a_proof_asking_for_a_mail_says_the_same_to_everyone(app: TestApp) {
        let people = app.people().await;
        let find = |note: &str| people.iter().find(|it| it.note.contains(note)).unwrap().clone();
        let mut twin = people[0].clone();
        twin.id_no = TWIN.to_owned();
        let mut transcripts = Vec::new();
        for person in [people[0].clone(), twin, find("never registered"), find("left the service")] {
            let chat = app.begin().await;
            for action in ["lupa", "daftar"] {
                let token = chat.ask_for(action).await;
                app.give_number(&token, "staff", &person.id_no).await;
                app.give_code(&token, "00000000").await;
                chat.say("sudah hantar ke?").await;
            }
            // What differs is who watches: ids, times and the token of the page.
            let said = chat.messages(0).await;
            let texts = said.iter().map(|it| json!([it["from"], it["kind"], it["text"], it["choices"], it["target"]]));
            transcripts.push(texts.collect::<Vec<_>>());
        }
        for transcript in &transcripts {
            assert_eq!(transcript, &transcripts[0]);
        }
    }

    async fn ac_99_a_clock_that_jumps_brings_nothing_to_life_and_sends_nothing_twice(app: TestApp) {
        let zulkifli = app.zulkifli().await;
        for jump in [DAY, -DAY, 11 * MINUTE, -11 * MINUTE, 12 * 365 * DAY] {
            let sent = app.codes_to(zulkifli.email()).await.len();
            let (_chat, token, code) = asked(app, &zulkifli).await;
            app.app.clock.advance(jump);
            let refused = app.give_code(&token, &code).await;
            assert!(matches!(refused.status().as_u16(), 410 | 422), "{jump}: {}", refused.status());
            tokio::time::sleep(Duration::from_millis(50)).await;
            assert_eq!(app.codes_to(zulkifli.email()).await.len(), sent + 1, "{jump}");
            app.app.clock.advance(2 * DAY - jump.min(0));
        }
    }

    async fn ac_28_a_proof_of_five_minutes_ago_gives_nothing_new(app: TestApp) {
        let zulkifli = app.zulkifli().await;
        let chat = app.begin().await;
        chat.prove("slip", &zulkifli).await;
        app.app.clock.advance(5 * MINUTE + 1);
        for words in ["slip gaji bulan lepas", "/lupa", "/ec", "/sesi"] {
            let reply = chat.say(words).await.remove(0);
            assert_eq!(reply["kind"], "prompt", "{words}: {reply}");
        }
    }

    async fn ac_32_a_proof_goes_to_no_other_chat_than_the_one_that_asked(app: TestApp) {
        let zulkifli = app.zulkifli().await;
        // Somebody sends their own link to a victim, who proves who they are and keeps the secret's window.
        let attacker = app.begin().await;
        let token = attacker.ask_for("slip").await;
        let secret = app.prove_on_page(&token, &zulkifli).await;
        let messages = attacker.messages(0).await.len();
        // The link alone gives its sender nothing.
        assert_problem(app.give_code(&token, "00000000").await, 410, "link_gone").await;
        assert_eq!(attacker.messages(0).await.len(), messages);
        assert_eq!(attacker.say("slip gaji bulan lepas").await[0]["kind"], "prompt");
        // And what the victim holds opens nothing in the victim's own chat.
        let victim = app.begin().await;
        assert_problem(victim.bring_back(&secret).await, 410, "link_gone").await;
        assert_problem(victim.bring_back("x").await, 410, "link_gone").await;
        let refused = app.database.count(
            app.folder(),
            "SELECT COUNT(*) FROM audit WHERE event = 'proof.returned' AND outcome = 'refused'",
        );
        assert!(refused.await >= 1);
    }

    async fn ac_34_a_proof_ends_ten_minutes_after_the_last_word_and_after_an_hour(app: TestApp) {
        let zulkifli = app.zulkifli().await;
        let chat = app.begin().await;
        chat.prove("slip", &zulkifli).await;
        chat.until_said("Slip gaji yang ada").await;
        app.app.clock.advance(9 * MINUTE);
        chat.say("terima kasih").await;
        app.app.clock.advance(9 * MINUTE);
        chat.until_said("Slip gaji yang ada").await;
        app.app.clock.advance(2 * MINUTE);
        let hidden = |messages: &[Value]| messages.iter().all(|it| !it["text"].as_str().unwrap().contains("Slip gaji yang ada"));
        assert!(hidden(&chat.messages(0).await), "idle for over ten minutes");

        let chat = app.begin().await;
        chat.prove("slip", &zulkifli).await;
        chat.until_said("Slip gaji yang ada").await;
        for _ in 0..7 {
            app.app.clock.advance(9 * MINUTE);
            chat.say("terima kasih").await;
        }
        assert!(hidden(&chat.messages(0).await), "over an hour, however lively");
    }

    async fn ac_35_what_was_hidden_is_told_to_those_who_watch(app: TestApp) {
        let zulkifli = app.zulkifli().await;
        let chat = app.begin().await;
        chat.prove("slip", &zulkifli).await;
        let offer = chat.until_said("Slip gaji yang ada").await;
        let rest = format!("/events?after={}", offer["seq"]);
        let stream = chat.request(reqwest::Method::GET, &rest).send().await.unwrap();
        let mut events = crate::support::stream::EventStream::new(stream);
        app.app.clock.advance(10 * MINUTE + 1);
        let event = tokio::time::timeout(Duration::from_secs(5), events.next()).await.unwrap().unwrap();
        assert_eq!(event.name, "changed");
    }

    async fn one_link_serves_one_person(app: TestApp) {
        let zulkifli = app.zulkifli().await;
        let token = app.begin().await.ask_for("slip").await;
        app.give_number(&token, "staff", &zulkifli.id_no).await;
        assert_problem(app.give_number(&token, "staff", TWIN).await, 410, "link_gone").await;
        app.code(zulkifli.email(), 1).await;
    }

    async fn a_code_can_be_asked_for_again_after_one_two_and_five_minutes(app: TestApp) {
        let zulkifli = app.zulkifli().await;
        let token = app.begin().await.ask_for("slip").await;
        let wait = async || {
            let response = app.give_number(&token, "staff", &zulkifli.id_no).await;
            assert_eq!(response.status(), 202);
            let body: Value = response.json().await.unwrap();
            body["resend_after"].as_i64().unwrap()
        };
        assert_eq!(wait().await, 60);
        app.code(zulkifli.email(), 1).await;
        assert!((50..=60).contains(&wait().await));
        app.app.clock.advance(MINUTE);
        assert_eq!(wait().await, 120);
        app.code(zulkifli.email(), 2).await;
        app.app.clock.advance(2 * MINUTE);
        assert_eq!(wait().await, 300);
        app.code(zulkifli.email(), 3).await;
        app.app.clock.advance(5 * MINUTE);
        // The fourth is over the hour's budget: it looks the same, and nothing is mailed.
        assert_eq!(wait().await, 300);
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(app.codes_to(zulkifli.email()).await.len(), 3);
    }

    async fn the_page_names_what_is_asked_before_it_takes_anything(app: TestApp) {
        let chat = app.begin().await;
        let prompt = chat.say("nak slip gaji bulan lepas").await.remove(0);
        let about = app.verify("about", json!({"token": token_of(&prompt)})).await;
        let about: Value = about.json().await.unwrap();
        assert_eq!(about["channel"], "web");
        assert_eq!(about["action"], "slip-gaji");
        assert_eq!(about["step"], "number");
        assert_eq!(about["mode"], "portal");
        assert!(about["period"].as_str().is_some_and(|it| it.contains("20")), "{about}");
        assert!(about.get("ends_with").is_none());
        let page = app.get("/verify").await;
        let headers = page.headers();
        assert!(headers["content-security-policy"].to_str().unwrap().contains("frame-ancestors 'none'"));
        assert_eq!(headers["cache-control"], "no-store");
        assert_eq!(headers["referrer-policy"], "no-referrer");
        assert_problem(app.verify("about", json!({"token": "none"})).await, 410, "link_gone").await;
    }

    async fn a_proof_is_gone_a_day_after_it_ended(app: TestApp) {
        let zulkifli = app.zulkifli().await;
        let chat = app.begin().await;
        chat.prove("slip", &zulkifli).await;
        app.app.clock.advance(11 * MINUTE);
        until_closed(app).await;
        app.app.clock.advance(DAY + 1);
        app.app.retention.purge().await.unwrap();
        for rows in ["SELECT COUNT(*) FROM verification", "SELECT COUNT(*) FROM proof"] {
            assert_eq!(app.database.count(app.folder(), rows).await, 0, "{rows}");
        }
    }
}

/// Waits until whoever keeps up has ended what is over.
async fn until_closed(app: &TestApp) {
    let open =
        "SELECT (SELECT COUNT(*) FROM verification WHERE closed_at IS NULL AND redeemed_at IS NULL)
                     + (SELECT COUNT(*) FROM proof WHERE ended_at IS NULL)";
    for _ in 0..500 {
        if app.database.count(app.folder(), open).await == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("nothing was ended");
}

const KEY_AFTER: &str = "YW5vdGhlciBzZWNyZXQgZm9yIHRlc3RzLCAzMiBieXRlcyBvciBtb3Jl";

async fn rotated(database: Database) {
    let app = TestApp::start(database, &[]).await;
    let zulkifli = app.zulkifli().await;
    let chat = app.begin().await;
    let (id, bearer) = (chat.id.clone(), chat.token.clone());
    let token = chat.ask_for("slip").await;
    app.give_number(&token, "staff", &zulkifli.id_no).await;
    let code = app.code(zulkifli.email(), 1).await;
    let app = app
        .restart_with(&[
            ("TANYA_SECRET_KEY", KEY_AFTER),
            ("TANYA_SECRET_KEY_OLD", SECRET_KEY),
        ])
        .await;
    let opening = Vec::new();
    let chat = Chat {
        app: &app,
        id: id.clone(),
        token: bearer.clone(),
        opening,
    };
    // The link that was shown is shown again, and its code is good.
    let prompt = chat
        .messages(0)
        .await
        .into_iter()
        .find(|it| it["kind"] == "prompt")
        .unwrap();
    assert_eq!(token_of(&prompt), token);
    let secret = secret_of(app.give_code(&token, &code).await).await;
    assert_eq!(chat.bring_back(&secret).await.status(), 204);
    chat.until_said("Slip gaji yang ada").await;
    drop(chat);
    // Once it was started with both, the old key is not needed any more, and the same person has the same name.
    let app = app
        .restart_with(&[
            ("TANYA_SECRET_KEY", KEY_AFTER),
            ("TANYA_SECRET_KEY_OLD", ""),
        ])
        .await;
    let chat = app.begin().await;
    chat.prove("slip", &zulkifli).await;
    let subjects = "SELECT COUNT(DISTINCT subject) FROM audit WHERE subject <> ''";
    assert_eq!(app.database.count(app.folder(), subjects).await, 1);
    app.stop().await;
}

#[tokio::test]
async fn ac_112_a_rotation_of_the_secret_breaks_nothing_that_is_under_way() {
    rotated(Database::sqlite()).await;
    if let Some(database) = Database::postgres().await {
        rotated(database).await;
    }
}

async fn tripped(database: Database) {
    // The loopback address is no office here, and little is enough to trip.
    let app = TestApp::start(
        database,
        &[
            ("TANYA_OFFICE_NETWORKS", "10.9.9.9/32"),
            ("TANYA_FAILURES_PER_HOUR", "12"),
        ],
    )
    .await;
    let zulkifli = app.zulkifli().await;
    let people = app.people().await;
    let fit = people.iter().filter(|it| it.kind == "staff");
    for person in fit.skip(1).take(3) {
        let token = app.begin().await.ask_for("slip").await;
        app.give_number(&token, "staff", &person.id_no).await;
        for _ in 0..4 {
            left_of(app.give_code(&token, "00000000").await).await;
        }
    }
    assert!(app.figure("tanya_breaker_total").await >= 1.0);
    let recorded = "SELECT COUNT(*) FROM audit WHERE event = 'breaker'";
    assert_eq!(app.database.count(app.folder(), recorded).await, 1);
    // It looks the same, and nobody new is proved from there.
    let token = app.begin().await.ask_for("slip").await;
    let started = app.give_number(&token, "staff", &zulkifli.id_no).await;
    assert_eq!(started.status(), 202);
    assert_problem(app.give_code(&token, "00000000").await, 422, "locked").await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(app.codes_to(zulkifli.email()).await.is_empty());
    // An hour later it is over.
    app.app.clock.advance(61 * MINUTE);
    let chat = app.begin().await;
    chat.prove("slip", &zulkifli).await;
    app.stop().await;
}

#[tokio::test]
async fn ac_10_too_many_failures_pause_new_proofs_where_they_come_from() {
    tripped(Database::sqlite()).await;
    if let Some(database) = Database::postgres().await {
        tripped(database).await;
    }
}

#[tokio::test]
async fn ac_33_what_one_process_ends_is_over_in_the_other_within_two_seconds() {
    let Some(database) = Database::postgres().await else {
        return;
    };
    let one = TestApp::start(database, &[]).await;
    let zulkifli = one.zulkifli().await;
    let chat = one.begin().await;
    chat.prove("slip", &zulkifli).await;
    let other = one.beside().await;
    let link = chat.say("slip gaji bulan lepas").await.remove(0);
    let rest = format!("/events?after={}", link["seq"]);
    let stream = chat.request(reqwest::Method::GET, &rest).send().await;
    let mut events = crate::support::stream::EventStream::new(stream.unwrap());
    // The same person ends all sessions from a chat that the other process serves.
    let elsewhere = other.begin().await;
    let token = elsewhere.ask_for("sesi").await;
    other.give_number(&token, "staff", &zulkifli.id_no).await;
    // Whichever process was free has mailed it.
    let code = loop {
        let first = one.codes_to(zulkifli.email()).await.split_off(1);
        let mails = [first, other.codes_to(zulkifli.email()).await].concat();
        match mails.first() {
            Some(mail) => break mail.code().unwrap(),
            None => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    };
    let secret = secret_of(other.give_code(&token, &code).await).await;
    assert_eq!(elsewhere.bring_back(&secret).await.status(), 204);
    let sessions = elsewhere.until_said("masih disahkan: 2").await;
    let end = Chat::choice(&sessions, "Tamatkan semua");
    elsewhere.choose(&end).await;
    let told = async {
        loop {
            if events.next().await.unwrap().name == "changed" {
                return;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(2), told)
        .await
        .expect("the other process tells within two seconds");
    let opened = one.press(&token_of(&link)).await;
    assert_eq!(opened.status(), StatusCode::GONE);
    other.stop().await;
    one.stop().await;
}
