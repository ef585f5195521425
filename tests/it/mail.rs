//! Mail as it leaves: what a server is handed, what happens when it fails at any verb, and how much goes to whom.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::bot_api::updates::private_text;
use crate::support::mail_server::{Fault, MailServer, ReceivedMail, Verb};
use crate::support::proof::{Sample, TWIN};
use crate::support::{BotApi, Chat, Database, TestApp, assert_problem};
use crate::telegram::AMINAH;

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const FROM: &str = "tanya@perbendaharaan.example";
/// Where officers' mail goes where the settings do not say.
const HELPDESK: &str = "helpdesk@localhost";
/// Every verb at which a mail can meet a fault.
const VERBS: [Verb; 7] = [
    Verb::Connect,
    Verb::Ehlo,
    Verb::Auth,
    Verb::Mail,
    Verb::Rcpt,
    Verb::Data,
    Verb::Body,
];
/// Everything that a mail's header says.
const HEADERS: [&str; 9] = [
    "auto-submitted",
    "content-transfer-encoding",
    "content-type",
    "date",
    "from",
    "message-id",
    "mime-version",
    "subject",
    "to",
];

/// Tells a story with a mail server, on SQLite and on PostgreSQL.
macro_rules! with_a_mail_server {
    ($(async fn $name:ident($app:ident: TestApp, $server:ident: MailServer) $body:block)*) => {
        $(
            mod $name {
                #[allow(unused_imports)]
                use super::*;

                async fn story($app: &TestApp, $server: &MailServer) $body

                async fn told(database: Database) {
                    let server = MailServer::start().await;
                    let app = with_mail(database, &server, &[]).await;
                    story(&app, &server).await;
                    app.stop().await;
                }

                #[tokio::test]
                async fn on_sqlite() {
                    told(Database::sqlite()).await;
                }

                #[tokio::test]
                async fn on_postgres() {
                    let Some(database) = Database::postgres().await else { return };
                    told(database).await;
                }
            }
        )*
    };
}

/// The program with a mail server that wants a user and a password.
pub async fn with_mail(database: Database, server: &MailServer, more: &[(&str, &str)]) -> TestApp {
    let url = server
        .url()
        .replacen("smtp://", "smtp://tanya:rahsia%2F1@", 1);
    let from = format!("Tanya <{FROM}>");
    let mut settings = vec![
        ("TANYA_SMTP_URL", url.as_str()),
        ("TANYA_MAIL_FROM", from.as_str()),
        ("TANYA_MAILS_PER_MINUTE", "1000"),
    ];
    settings.extend(more);
    TestApp::start(database, &settings).await
}

pub async fn until(what: &str, mut there: impl AsyncFnMut() -> bool) {
    let begun = Instant::now();
    while !there().await {
        assert!(begun.elapsed() < Duration::from_secs(60), "never {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Waits until nothing waits to be carried any more.
pub async fn settled(app: &TestApp) {
    let waiting = "SELECT COUNT(*) FROM outbox WHERE done_at IS NULL";
    until("settled", async || {
        app.database.count(app.folder(), waiting).await == 0
    })
    .await;
}

/// Waits until a code was tried and is given back, not on its way: a try that ends after the clock has moved is put off
/// by minutes.
async fn tried_and_given_back(app: &TestApp) {
    let tried = "SELECT COUNT(*) FROM outbox WHERE carrier = 'code' AND done_at IS NULL
                 AND attempts > 1
                 AND due_at < created_at + 60000";
    until("tried again", async || {
        app.database.count(app.folder(), tried).await == 1
    })
    .await;
}

pub fn mails_to(server: &MailServer, address: &str) -> Vec<ReceivedMail> {
    let mut mails = server.mails();
    mails.retain(|mail| mail.to == [address]);
    mails
}

pub fn codes_to(server: &MailServer, address: &str) -> Vec<ReceivedMail> {
    let mut mails = mails_to(server, address);
    mails.retain(|mail| mail.code().is_some());
    mails
}

pub fn about(server: &MailServer, address: &str, subject: &str) -> Vec<ReceivedMail> {
    let mut mails = mails_to(server, address);
    mails.retain(|mail| mail.header("Subject").unwrap().contains(subject));
    mails
}

/// The mails that tell the helpdesk of a new task; that it is overdue later is told by others.
fn tasks(server: &MailServer, number: &str) -> Vec<ReceivedMail> {
    about(server, HELPDESK, &format!("[{number}] Permintaan baharu"))
}

/// The `count`th code that was mailed to an address, as soon as it is there.
async fn code_to(server: &MailServer, address: &str, count: usize) -> String {
    until(&format!("{count} codes to {address}"), async || {
        codes_to(server, address).len() >= count
    })
    .await;
    codes_to(server, address)[count - 1].code().unwrap()
}

/// Waits until the supervisor has today's end of the record: no mail that nobody asked for comes after it.
pub async fn anchored(server: &MailServer) {
    until("an anchor", async || {
        !about(server, HELPDESK, "Rekod audit").is_empty()
    })
    .await;
}

/// People to whom a code is mailed.
pub async fn staff(app: &TestApp) -> Vec<Sample> {
    let mut people = app.people().await;
    people.retain(|it| it.kind == "staff" && it.email.is_some());
    people
}

/// Has a code mailed to somebody for a new chat; the token of its page.
pub async fn ask_for_code(app: &TestApp, person: &Sample) -> String {
    let token = app.begin().await.ask_for("slip").await;
    let started = app.give_number(&token, &person.kind, &person.id_no).await;
    assert_eq!(started.status(), StatusCode::ACCEPTED);
    token
}

/// Proves who it is with the code in the mail, and asks for something with it.
pub async fn prove(chat: &Chat<'_>, server: &MailServer, action: &str, person: &Sample) {
    let token = chat.ask_for(action).await;
    let before = codes_to(server, person.email()).len();
    let app = chat.app;
    let started = app.give_number(&token, &person.kind, &person.id_no).await;
    assert_eq!(started.status(), StatusCode::ACCEPTED);
    let code = code_to(server, person.email(), before + 1).await;
    let finished: Value = app.give_code(&token, &code).await.json().await.unwrap();
    let secret = finished["return"].as_str().unwrap();
    let brought = chat.bring_back(secret).await;
    assert_eq!(brought.status(), StatusCode::NO_CONTENT);
}

/// A chat of somebody for whom we mail the link, with the first reset done and nothing else on its way.
async fn reset_once<'a>(app: &'a TestApp, server: &MailServer) -> (Chat<'a>, Sample) {
    let person = app.second().await;
    assert_eq!(person.delivery, "helpdesk");
    let chat = app.begin().await;
    prove(&chat, server, "lupa", &person).await;
    chat.until_said("telah dihantar ke").await;
    anchored(server).await;
    settled(app).await;
    (chat, person)
}

pub async fn last_seq(chat: &Chat<'_>) -> i64 {
    let messages = chat.messages(0).await;
    messages.last().unwrap()["seq"].as_i64().unwrap()
}

/// What is said after a message, once something there holds these words.
pub async fn said_after(chat: &Chat<'_>, seq: i64, words: &str) -> Value {
    chat.until(|message| {
        let said = message["from"] != "user" && message["text"].as_str().unwrap().contains(words);
        said && message["seq"].as_i64().unwrap() > seq
    })
    .await
}

pub async fn claims_after(chat: &Chat<'_>, seq: i64) -> usize {
    let messages = chat.messages(seq).await;
    let claims = messages.iter().filter(|message| {
        let text = message["text"].as_str().unwrap();
        text.contains("telah dihantar ke") || text.contains("has been sent to")
    });
    claims.count()
}

/// The names of a mail's headers, in order of the alphabet.
fn header_names(mail: &ReceivedMail) -> Vec<String> {
    let (headers, _) = mail.raw.split_once("\r\n\r\n").unwrap();
    let lines = headers.split("\r\n");
    let lines = lines.filter(|line| !line.starts_with([' ', '\t']));
    let names = lines.map(|line| line.split_once(':').unwrap().0.to_ascii_lowercase());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

with_a_mail_server! {
    async fn a_code_is_in_the_mailbox_within_a_second(app: TestApp, server: MailServer) {
        let mut took = Vec::new();
        for person in staff(app).await.iter().take(5) {
            let token = app.begin().await.ask_for("slip").await;
            let begun = Instant::now();
            app.give_number(&token, &person.kind, &person.id_no).await;
            code_to(server, person.email(), 1).await;
            took.push(begun.elapsed());
        }
        took.sort();
        assert!(took[2] < Duration::from_secs(1), "{took:?}");
    }

    async fn a_mail_has_its_headers_once_and_no_others(app: TestApp, server: MailServer) {
        let (_, person) = reset_once(app, server).await;
        let mails = server.mails();
        // A code, a reset and the end of the record.
        assert_eq!(mails.len(), 3);
        let mut ids = BTreeSet::new();
        for mail in &mails {
            assert_eq!(header_names(mail), HEADERS, "{}", mail.raw);
            assert_eq!(mail.header("From").unwrap(), format!("Tanya <{FROM}>"));
            assert_eq!(mail.from, FROM);
            assert!(mail.to == [person.email()] || mail.to == [HELPDESK]);
            assert_eq!(mail.header("To").unwrap(), mail.to[0]);
            assert_eq!(mail.header("Content-Type").unwrap(), "text/plain; charset=utf-8");
            assert_eq!(mail.header("MIME-Version").unwrap(), "1.0");
            assert_eq!(mail.header("Auto-Submitted").unwrap(), "auto-generated");
            let id = mail.message_id();
            assert!(id.starts_with('<') && id.ends_with("@localhost>"), "{id}");
            assert!(ids.insert(id), "an id twice");
        }
    }

    async fn a_mail_whose_yes_got_lost_comes_again_as_the_same_mail(app: TestApp, server: MailServer) {
        let zulkifli = app.zulkifli().await;
        server.fault_times(Verb::Body, Fault::AcceptedThenDropped, 1);
        let token = ask_for_code(app, &zulkifli).await;
        code_to(server, zulkifli.email(), 2).await;
        settled(app).await;
        let mails = mails_to(server, zulkifli.email());
        assert_eq!(mails.len(), 2);
        assert_eq!(mails[0].message_id(), mails[1].message_id());
        assert_eq!(mails[0].header("Date"), mails[1].header("Date"));
        assert_eq!(mails[0].text(), mails[1].text());
        let finished = app.give_code(&token, &mails[0].code().unwrap()).await;
        assert_eq!(finished.status(), StatusCode::OK);
    }

    async fn the_end_of_the_record_comes_again_as_it_was_mailed(app: TestApp, server: MailServer) {
        server.fault_times(Verb::Body, Fault::AcceptedThenDropped, 1);
        app.begin().await.ask_for("slip").await;
        anchored(server).await;
        app.app.clock.advance(2 * MINUTE);
        until("the anchor again", async || mails_to(server, HELPDESK).len() == 2).await;
        let mails = mails_to(server, HELPDESK);
        assert_eq!(mails[0].message_id(), mails[1].message_id());
        assert_eq!(mails[0].text(), mails[1].text());
    }

    async fn ac_102_a_code_waits_while_the_server_is_away_and_comes_when_it_is_back(app: TestApp, server: MailServer) {
        let zulkifli = app.zulkifli().await;
        server.pause().await;
        let token = ask_for_code(app, &zulkifli).await;
        tried_and_given_back(app).await;
        app.app.clock.advance(9 * MINUTE);
        server.resume().await;
        let code = code_to(server, zulkifli.email(), 1).await;
        let finished = app.give_code(&token, &code).await;
        assert_eq!(finished.status(), StatusCode::OK);
        settled(app).await;
        assert_eq!(codes_to(server, zulkifli.email()).len(), 1);
    }

    async fn ac_102_a_code_is_never_mailed_after_its_ten_minutes(app: TestApp, server: MailServer) {
        let zulkifli = app.zulkifli().await;
        server.pause().await;
        ask_for_code(app, &zulkifli).await;
        tried_and_given_back(app).await;
        app.app.clock.advance(10 * MINUTE);
        server.resume().await;
        // The next one's goes, and nothing is left of the first.
        let second = app.second().await;
        ask_for_code(app, &second).await;
        code_to(server, second.email(), 1).await;
        settled(app).await;
        assert!(mails_to(server, zulkifli.email()).is_empty());
        let dead = "SELECT COUNT(*) FROM outbox WHERE carrier = 'code' AND outcome = 'dead' AND payload IS NULL";
        assert_eq!(app.database.count(app.folder(), dead).await, 1);
        let noted = "SELECT COUNT(*) FROM audit WHERE event = 'verify.mailed' AND outcome = 'expired'";
        assert_eq!(app.database.count(app.folder(), noted).await, 1);
    }

    async fn ac_102_what_goes_wrong_once_at_a_verb_neither_loses_nor_doubles_a_mail(app: TestApp, server: MailServer) {
        let people = staff(app).await;
        let slow = Fault::Slow(Duration::from_millis(200));
        for (people, fault) in people.chunks_exact(VERBS.len()).zip([Fault::Temporary, Fault::Drop, Fault::Garbage, slow]) {
            let tries = if fault == slow { 0 } else { VERBS.len() };
            all_arrive_once(app, server, people, &VERBS.map(|verb| (verb, fault)), tries).await;
        }
    }

    async fn ac_102_a_server_that_will_not_talk_to_us_today_gets_its_mail_when_it_does(app: TestApp, server: MailServer) {
        let people = staff(app).await;
        // Before a mail is named, "never" says nothing about the mail.
        let faults = [Verb::Connect, Verb::Ehlo, Verb::Auth].map(|verb| (verb, Fault::Permanent));
        all_arrive_once(app, server, &people[..3], &faults, 3).await;
    }

    async fn ac_102_a_server_that_hangs_at_a_verb_is_left_and_asked_again(app: TestApp, server: MailServer) {
        let people = staff(app).await;
        let faults = VERBS.map(|verb| (verb, Fault::Hang));
        all_arrive_once(app, server, &people[..VERBS.len()], &faults, VERBS.len()).await;
        // After the mail is there, nobody waits for a goodbye.
        server.fault_times(Verb::Quit, Fault::Hang, 1);
        let begun = Instant::now();
        all_arrive_once(app, server, &people[VERBS.len()..VERBS.len() + 1], &[], 0).await;
        assert!(begun.elapsed() < Duration::from_secs(5));
    }

    async fn ac_102_a_talk_that_hangs_holds_up_nobody_else(app: TestApp, server: MailServer) {
        let people = staff(app).await;
        server.fault_times(Verb::Body, Fault::Hang, 2);
        ask_for_code(app, &people[0]).await;
        ask_for_code(app, &people[1]).await;
        until("both hang", async || server.connections() >= 2).await;
        let begun = Instant::now();
        for person in &people[2..8] {
            ask_for_code(app, person).await;
        }
        until("the others", async || people[2..8].iter().all(|it| codes_to(server, it.email()).len() == 1)).await;
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
        // Those that hung come too.
        code_to(server, people[0].email(), 1).await;
        code_to(server, people[1].email(), 1).await;
    }

    async fn ac_102_a_code_that_is_refused_for_good_is_not_tried_again(app: TestApp, server: MailServer) {
        let people = staff(app).await;
        ask_for_code(app, &people[0]).await;
        anchored(server).await;
        settled(app).await;
        for (person, verb) in people[1..].iter().zip([Verb::Mail, Verb::Rcpt, Verb::Data, Verb::Body]) {
            let (connections, mails) = (server.connections(), server.mails().len());
            server.fault_times(verb, Fault::Permanent, 1);
            let token = ask_for_code(app, person).await;
            settled(app).await;
            assert_eq!(server.connections(), connections + 1, "{verb:?}");
            assert_eq!(server.mails().len(), mails, "{verb:?}");
            // Who asks again gets another.
            app.app.clock.advance(MINUTE + 1);
            let again = app.verify("start", json!({"token": token})).await;
            assert_eq!(again.status(), StatusCode::ACCEPTED);
            let code = code_to(server, person.email(), 1).await;
            assert_eq!(app.give_code(&token, &code).await.status(), StatusCode::OK);
        }
    }

    async fn ac_102_a_reset_mail_that_is_refused_is_told_and_goes_to_an_officer(app: TestApp, server: MailServer) {
        let (chat, person) = reset_once(app, server).await;
        let mut tickets = BTreeSet::new();
        for verb in [Verb::Mail, Verb::Rcpt, Verb::Data, Verb::Body] {
            let seq = last_seq(&chat).await;
            server.fault_times(verb, Fault::Permanent, 1);
            chat.say("/lupa").await;
            let told = said_after(&chat, seq, "tidak dapat dihantar").await;
            let number = told["ticket"]["number"].as_str().unwrap().to_owned();
            assert!(told["text"].as_str().unwrap().contains(&number), "{told}");
            settled(app).await;
            assert_eq!(claims_after(&chat, seq).await, 0, "{verb:?}");
            assert_eq!(about(server, HELPDESK, &number).len(), 1, "the officer knows");
            tickets.insert(number);
        }
        assert_eq!(tickets.len(), 4);
        assert_eq!(about(server, person.email(), "Set semula").len(), 1);
        let seq = last_seq(&chat).await;
        chat.say("/lupa").await;
        said_after(&chat, seq, "telah dihantar ke").await;
        assert_eq!(about(server, person.email(), "Set semula").len(), 2);
    }

    async fn ac_102_while_the_server_refuses_nobody_is_told_that_a_mail_went(app: TestApp, server: MailServer) {
        let (chat, person) = reset_once(app, server).await;
        let (seq, connections) = (last_seq(&chat).await, server.connections());
        server.fault(Verb::Body, Fault::Temporary);
        chat.say("/lupa").await;
        said_after(&chat, seq, "sedang menghantar e-mel itu").await;
        for tries in 1..=3 {
            until("tried", async || server.connections() >= connections + tries).await;
            assert_eq!(claims_after(&chat, seq).await, 0);
            app.app.clock.advance(30 * SECOND);
        }
        server.clear();
        app.app.clock.advance(2 * MINUTE);
        said_after(&chat, seq, "telah dihantar ke").await;
        assert_eq!(about(server, person.email(), "Set semula").len(), 2);
        settled(app).await;
        assert_eq!(claims_after(&chat, seq).await, 1);
    }

    async fn ac_102_a_reset_mail_whose_link_died_meanwhile_is_told_and_never_sent(app: TestApp, server: MailServer) {
        let (chat, person) = reset_once(app, server).await;
        let seq = last_seq(&chat).await;
        server.pause().await;
        chat.say("/lupa").await;
        said_after(&chat, seq, "sedang menghantar e-mel itu").await;
        app.app.clock.advance(31 * MINUTE);
        let told = said_after(&chat, seq, "tidak dapat dihantar").await;
        let number = told["ticket"]["number"].as_str().unwrap();
        server.resume().await;
        until("the officer's mail", async || about(server, HELPDESK, number).len() == 1).await;
        settled(app).await;
        assert_eq!(about(server, person.email(), "Set semula").len(), 1);
    }

    async fn ac_102_an_officers_mail_still_comes_after_an_outage_of_nearly_three_days(app: TestApp, server: MailServer) {
        let number = a_task_that_waits(app, server).await;
        let connections = server.connections();
        app.app.clock.advance(71 * HOUR);
        until("tried", async || server.connections() > connections).await;
        assert!(tasks(server, &number).is_empty());
        server.clear();
        until("the mail", async || {
            app.app.clock.advance(10 * SECOND);
            tasks(server, &number).len() == 1
        }).await;
        settled(app).await;
        assert_eq!(tasks(server, &number).len(), 1);
    }

    async fn ac_102_an_officers_mail_is_given_up_after_three_days_and_that_shows(app: TestApp, server: MailServer) {
        let number = a_task_that_waits(app, server).await;
        let dead = app.figure("tanya_outbox_dead").await;
        app.app.clock.advance(72 * HOUR + 1);
        let waits = "SELECT COUNT(*) FROM outbox WHERE carrier = 'mail' AND outcome = 'dead'";
        until("given up", async || app.database.count(app.folder(), waits).await >= 2).await;
        server.clear();
        settled(app).await;
        assert!(tasks(server, &number).is_empty());
        assert!(app.figure("tanya_outbox_dead").await > dead);
        // Nothing of the task itself is lost.
        let open = "SELECT COUNT(*) FROM ticket WHERE status = 'open'";
        assert_eq!(app.database.count(app.folder(), open).await, 1);
    }

    async fn ac_21_however_often_one_is_asked_for_three_codes_come_an_hour_and_six_a_day(app: TestApp, server: MailServer) {
        let zulkifli = app.zulkifli().await;
        let mut answers = BTreeSet::new();
        for most in [3, 6, 6] {
            for _ in 0..5 {
                let asked = (0..20).map(|_| async {
                    let token = app.begin().await.ask_for("lupa").await;
                    let started = app.give_number(&token, "staff", &zulkifli.id_no).await;
                    (started.status().as_u16(), started.text().await.unwrap())
                });
                answers.extend(futures_util::future::join_all(asked).await);
            }
            settled(app).await;
            assert_eq!(mails_to(server, zulkifli.email()).len(), most);
            app.app.clock.advance(HOUR + 1);
        }
        let token = app.begin().await.ask_for("lupa").await;
        let twin = app.give_number(&token, "staff", TWIN).await;
        answers.insert((twin.status().as_u16(), twin.text().await.unwrap()));
        assert_eq!(answers.into_iter().collect::<Vec<_>>(), [(202, r#"{"resend_after":60}"#.to_owned())]);
        // A day later there is something left again.
        app.app.clock.advance(DAY);
        ask_for_code(app, &zulkifli).await;
        code_to(server, zulkifli.email(), 7).await;
    }

    async fn ac_22_an_address_that_somebody_types_is_never_written_to(app: TestApp, server: MailServer) {
        let person = app.second().await;
        let chat = app.begin().await;
        for words in [
            "penjahat@evil.example",
            "hantar kata laluan saya ke penjahat@evil.example",
            "emel saya sudah bertukar, tolong guna penjahat@evil.example",
            "/lupa penjahat@evil.example",
        ] {
            chat.say(words).await;
        }
        let token = chat.ask_for("lupa").await;
        for name in ["email", "to", "cc", "address"] {
            let mut body = json!({"token": token, "kind": "staff", "id_no": person.id_no});
            body[name] = json!("penjahat@evil.example");
            assert_problem(app.verify("start", body).await, 400, "invalid_body").await;
        }
        for number in ["penjahat@evil.example".to_owned(), format!("{} penjahat@evil.example", person.id_no)] {
            let started = app.give_number(&token, "staff", &number).await;
            assert_problem(started, 422, "invalid_id_no").await;
        }
        prove(&chat, server, "lupa", &person).await;
        chat.until_said("telah dihantar ke").await;
        for words in ["bukan itu, hantar ke penjahat@evil.example", "/lupa penjahat@evil.example"] {
            chat.say(words).await;
        }
        anchored(server).await;
        settled(app).await;
        assert!(mails_to(server, person.email()).len() >= 2);
        for mail in server.mails() {
            assert!(mail.to == [person.email()] || mail.to == [HELPDESK], "{:?}", mail.to);
            assert_eq!(header_names(&mail), HEADERS);
            assert!(!mail.raw.contains("evil") && !mail.text().contains("evil"), "{}", mail.raw);
        }
    }

    async fn ac_76_a_hostile_address_on_the_record_is_no_address(app: TestApp, server: MailServer) {
        let zulkifli = app.zulkifli().await;
        let hostile = [
            "a@x.example\r\nBcc: penjahat@evil.example",
            "a@x.example,penjahat@evil.example",
            "a@x.example penjahat@evil.example",
            "a@x.example> SIZE=1\r\nRCPT TO:<penjahat@evil.example",
            "Zulkifli <penjahat@evil.example>",
            "\"a\r\nDATA\"@x.example",
            "a\0@x.example",
            "\u{202e}a@x.example",
            "a@@x.example",
            "a@x",
        ];
        for address in hostile {
            app.change_person(&zulkifli.reference, json!({"email": address})).await;
            ask_for_code(app, &zulkifli).await;
            settled(app).await;
            let others = server.mails().into_iter().filter(|mail| mail.to != [HELPDESK]);
            assert_eq!(others.count(), 0, "{address:?}");
            // The hour's budget is not what keeps it back.
            app.app.clock.advance(DAY);
        }
        let strange = "o'brien+slip_gaji.%1@sub.kelantan.example";
        app.change_person(&zulkifli.reference, json!({"email": strange})).await;
        ask_for_code(app, &zulkifli).await;
        code_to(server, strange, 1).await;
        assert_eq!(header_names(&mails_to(server, strange)[0]), HEADERS);
    }
}

/// Asks for one code for each of these people while these faults stand, and looks whether each comes once and whether
/// so many talks came to nothing.
async fn all_arrive_once(
    app: &TestApp,
    server: &MailServer,
    people: &[Sample],
    faults: &[(Verb, Fault)],
    failures: usize,
) {
    settled(app).await;
    let (connections, mails) = (server.connections(), server.mails().len());
    for (verb, fault) in faults {
        server.fault_times(*verb, *fault, 1);
    }
    for person in people {
        ask_for_code(app, person).await;
    }
    until(&format!("all mails, {faults:?}"), async || {
        people
            .iter()
            .all(|it| !codes_to(server, it.email()).is_empty())
    })
    .await;
    settled(app).await;
    for person in people {
        assert_eq!(
            codes_to(server, person.email()).len(),
            1,
            "{faults:?}, {}",
            person.name
        );
    }
    // Every fault was met: a talk that fails brings no mail, every other one brings one.
    let talks = server.connections() - connections;
    let mails = server.mails().len() - mails;
    assert_eq!(talks, mails + failures, "{faults:?}");
}

/// An officer's mail that the server will not take now; the number of its ticket.
async fn a_task_that_waits(app: &TestApp, server: &MailServer) -> String {
    let (chat, _) = reset_once(app, server).await;
    let seq = last_seq(&chat).await;
    server.fault_times(Verb::Body, Fault::Permanent, 1);
    server.fault(Verb::Body, Fault::Temporary);
    chat.say("/lupa").await;
    let told = said_after(&chat, seq, "tidak dapat dihantar").await;
    let tried =
        "SELECT COUNT(*) FROM outbox WHERE carrier = 'mail' AND done_at IS NULL AND attempts > 0";
    until("tried", async || {
        app.database.count(app.folder(), tried).await == 1
    })
    .await;
    told["ticket"]["number"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn ac_37_a_code_mail_says_what_it_is_for_who_asked_and_that_no_officer_asks_for_it() {
    let server = MailServer::start().await;
    let app = with_mail(Database::sqlite(), &server, &[]).await;
    let zulkifli = app.zulkifli().await;
    ask_for_code(&app, &zulkifli).await;
    code_to(&server, zulkifli.email(), 1).await;
    let mail = mails_to(&server, zulkifli.email()).remove(0);
    let masks = [
        (r"\d{4} \d{4}", "[code]"),
        (r"\d\d/\d\d/\d{4}, \d\d:\d\d", "[time]"),
        (r"http://localhost:\d+/bukan-saya#[\w-]{43}", "[link]"),
    ];
    let text = masks.iter().fold(mail.text(), |text, (mask, word)| {
        let mask = regex::Regex::new(mask).unwrap();
        mask.replace_all(&text, *word).into_owned()
    });
    let subject = mail.header("Subject").unwrap();
    insta::assert_snapshot!(format!("{subject}\n\n{}", text.trim_end()), @r"
    Kod pengesahan e-mel Tanya / Tanya e-mail verification code

    Kod pengesahan e-mel tuan/puan / Your e-mail verification code:

        [code]

    Kod ini sah selama 10 minit dan hanya boleh digunakan sekali.

    Tujuan: Slip gaji bulanan
    Diminta melalui: sembang web
    Masa: [time]

    Pegawai tidak akan meminta kod ini. Jangan berikan kod ini kepada sesiapa; masukkan hanya dalam sembang atau halaman yang tuan/puan sendiri buka.

    E-mel ini dihantar secara automatik oleh Tanya, pembantu Perbendaharaan Negeri Kelantan. Jika bukan tuan/puan yang memintanya, maklumkan di sini:
    [link]

    ----------------------------------------

    This code is valid for 10 minutes and can be used once.

    Purpose: Monthly payslip
    Requested through: web chat
    Time: [time]

    No officer will ever ask for this code. Give it to nobody; enter it only in a chat or page that you opened yourself.

    This e-mail was sent automatically by Tanya, the assistant of the Kelantan State Treasury. If it was not you who asked, tell us there:
    [link]
    ");
    app.stop().await;
}

#[tokio::test]
async fn ac_23_a_task_of_somebody_unproved_is_mailed_to_the_helpdesk_only() {
    for database in Database::both().await {
        let server = MailServer::start().await;
        let app = with_mail(database, &server, &[("TANYA_PORTAL_URL", "none")]).await;
        let chat = app.begin().await;
        chat.say("emel saya aminah@evil.example, tolong maklum di situ")
            .await;
        let token = chat.ask_for("lupa").await;
        let number = "880313036661";
        let handed = app.give_number(&token, "staff", number).await;
        assert_eq!(handed.status(), StatusCode::ACCEPTED);
        let told = chat.until_said("diserahkan kepada pegawai").await;
        let ticket = told["ticket"]["number"].as_str().unwrap();
        anchored(&server).await;
        settled(&app).await;
        assert_eq!(about(&server, HELPDESK, ticket).len(), 1);
        for mail in server.mails() {
            assert_eq!(mail.to, [HELPDESK]);
            assert!(!mail.text().contains(number) && !mail.text().contains("evil"));
        }
        app.stop().await;
    }
}

#[tokio::test]
async fn ac_25_what_is_over_the_minutes_budget_waits_and_codes_go_first() {
    for database in Database::both().await {
        let server = MailServer::start().await;
        let app = with_mail(database, &server, &[("TANYA_MAILS_PER_MINUTE", "10")]).await;
        // A code, a reset and the end of the record are three of ten; a tenth is kept for codes.
        let (chat, second) = reset_once(&app, &server).await;
        assert_eq!(server.mails().len(), 3);
        for resets in 2..=7 {
            let seq = last_seq(&chat).await;
            chat.say("/lupa").await;
            said_after(&chat, seq, "telah dihantar ke").await;
            assert_eq!(about(&server, second.email(), "Set semula").len(), resets);
        }
        let seq = last_seq(&chat).await;
        chat.say("/lupa").await;
        put_off(&app, 1).await;
        let people = staff(&app).await;
        ask_for_code(&app, &people[0]).await;
        code_to(&server, people[0].email(), 1).await;
        ask_for_code(&app, &people[2]).await;
        put_off(&app, 2).await;
        assert_eq!(server.mails().len(), 10);
        assert_eq!(claims_after(&chat, seq).await, 0);
        assert!(app.figures().await.contains("limit=\"mails\""));
        app.app.clock.advance(MINUTE);
        code_to(&server, people[2].email(), 1).await;
        said_after(&chat, seq, "telah dihantar ke").await;
        settled(&app).await;
        assert_eq!(server.mails().len(), 12);
        app.stop().await;
    }
}

/// Waits until so many mails were looked at and put off.
async fn put_off(app: &TestApp, count: i64) {
    let put_off = "SELECT COUNT(*) FROM outbox
                   WHERE done_at IS NULL AND due_at > created_at AND due_at < created_at + 60000";
    until("put off", async || {
        app.database.count(app.folder(), put_off).await == count
    })
    .await;
}

/// Has a code mailed for a chat on Telegram to somebody who calls themselves so.
async fn code_for(name: &str, database: Database) -> ReceivedMail {
    let (server, telegram) = (MailServer::start().await, BotApi::start().await);
    let (smtp, api) = (server.url(), telegram.url());
    let settings = [
        ("TANYA_SMTP_URL", smtp.as_str()),
        ("TANYA_MAIL_FROM", FROM),
        ("TANYA_TELEGRAM_TOKEN", crate::support::bot_api::TOKEN),
        ("TANYA_TELEGRAM_API_URL", api.as_str()),
    ];
    let app = TestApp::start(database, &settings).await;
    let zulkifli = app.zulkifli().await;
    let mut update = private_text(AMINAH, "/slip");
    update["message"]["from"]["first_name"] = json!(name);
    telegram.give(update);
    let mut token = None;
    until("the page", async || {
        let sent = telegram.sent(AMINAH);
        let mut texts = sent.iter().filter_map(|message| message["text"].as_str());
        let page = texts.find_map(|text| text.split_once("/verify#"));
        token = page.and_then(|(_, token)| token.split_whitespace().next().map(str::to_owned));
        token.is_some()
    })
    .await;
    let started = app
        .give_number(&token.unwrap(), "staff", &zulkifli.id_no)
        .await;
    assert_eq!(started.status(), StatusCode::ACCEPTED);
    code_to(&server, zulkifli.email(), 1).await;
    app.stop().await;
    mails_to(&server, zulkifli.email()).remove(0)
}

#[tokio::test]
async fn ac_76_a_hostile_name_gets_into_no_header_and_makes_no_second_code() {
    for database in Database::both().await {
        let name = "Ali\r\nBcc: x\r\n.\r\n\0\u{202e}1234 5678 <b>{{7*7}}";
        let mail = code_for(name, database).await;
        assert_eq!(header_names(&mail), HEADERS);
        let text = mail.text();
        // The only group of its kind, or there is none.
        assert!(mail.code().is_some());
        assert!(!text.contains("1234") && !text.contains('\u{202e}') && !text.contains('<'));
        assert!(text.contains("Telegram (Ali x)"), "{text}");
        assert!(!mail.raw.contains('\0'));
        let lines: Vec<&str> = text.lines().collect();
        assert!(
            !lines
                .iter()
                .any(|line| line.starts_with("Bcc") || *line == ".")
        );
    }
}

#[tokio::test]
async fn ac_37_a_name_that_is_an_address_is_none_in_the_mail() {
    for name in ["admin@evil.example", "www.evil.example"] {
        let mail = code_for(name, Database::sqlite()).await;
        // Mail programs make a link of it: somebody else's words would lead there in our name.
        assert!(!mail.text().contains("evil.example"), "{}", mail.text());
    }
}

/// A mail server that others wrote, and its spool.
struct Foreign {
    url: String,
    ca: String,
    spool: PathBuf,
}

impl Foreign {
    /// None where it could not be fetched; on a machine where everything must run its absence is a failure.
    fn given() -> Option<Self> {
        let Ok(url) = std::env::var("TANYA_TEST_SMTP") else {
            assert!(
                std::env::var_os("CI").is_none(),
                "TANYA_TEST_SMTP is not set, and here everything must run"
            );
            eprintln!("skipped: TANYA_TEST_SMTP is not set (scripts/test sets it)");
            return None;
        };
        if url.is_empty() {
            eprintln!("skipped: there is no foreign mail server here");
            return None;
        }
        let named = |name: &str| std::env::var(name).unwrap();
        Some(Self {
            url,
            ca: named("TANYA_TEST_SMTP_CA"),
            spool: named("TANYA_TEST_SMTP_SPOOL").into(),
        })
    }

    fn mails_to(&self, address: &str) -> Vec<ReceivedMail> {
        let spool = std::fs::read_to_string(&self.spool).unwrap();
        let lines = spool
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let mails = lines.map(|line| ReceivedMail {
            from: line["from"].as_str().unwrap().to_owned(),
            to: serde_json::from_value(line["to"].clone()).unwrap(),
            raw: line["data"].as_str().unwrap().to_owned(),
        });
        mails.filter(|mail| mail.to == [address]).collect()
    }

    /// The program with this server.
    async fn app(&self, database: Database, url: &str, ca: Option<&str>) -> TestApp {
        let mut settings = vec![("TANYA_SMTP_URL", url), ("TANYA_MAIL_FROM", FROM)];
        settings.extend(ca.map(|ca| ("TANYA_SMTP_CA", ca)));
        TestApp::start(database, &settings).await
    }
}

/// An address of this run's own: the spool is everybody's.
async fn own_address(app: &TestApp, person: &Sample) -> String {
    let address = format!("{}@kelantan.example", uuid::Uuid::new_v4().simple());
    app.change_person(&person.reference, json!({"email": address}))
        .await;
    address
}

#[tokio::test]
async fn a_foreign_server_takes_our_mail_over_tls_and_with_a_password() {
    let Some(foreign) = Foreign::given() else {
        return;
    };
    for database in Database::both().await {
        let app = foreign.app(database, &foreign.url, Some(&foreign.ca)).await;
        let zulkifli = app.zulkifli().await;
        let address = own_address(&app, &zulkifli).await;
        let chat = app.begin().await;
        let token = chat.ask_for("slip").await;
        app.give_number(&token, "staff", &zulkifli.id_no).await;
        until("the mail", async || !foreign.mails_to(&address).is_empty()).await;
        settled(&app).await;
        let mails = foreign.mails_to(&address);
        assert_eq!(mails.len(), 1);
        assert_eq!(mails[0].from, FROM);
        for name in HEADERS {
            assert_eq!(mails[0].headers_named(name), 1, "{name}");
        }
        let code = mails[0].code().unwrap();
        let finished: Value = app.give_code(&token, &code).await.json().await.unwrap();
        let brought = chat.bring_back(finished["return"].as_str().unwrap()).await;
        assert_eq!(brought.status(), StatusCode::NO_CONTENT);
        chat.until_said("Slip gaji yang ada").await;
        app.stop().await;
    }
}

/// What is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

#[tokio::test]
async fn ac_102_settings_that_the_server_does_not_take_lose_no_mail_and_are_told() {
    let Some(foreign) = Foreign::given() else {
        return;
    };
    let wrong = foreign.url.replacen("rahsia%2F1", "salah", 1);
    assert_ne!(wrong, foreign.url);
    for (url, ca) in [(&wrong, Some(foreign.ca.as_str())), (&foreign.url, None)] {
        for database in Database::both().await {
            let log = Log::default();
            let writer = log.clone();
            let subscriber = tracing_subscriber::fmt()
                .with_env_filter("tanya=error")
                .with_writer(move || writer.clone())
                .finish();
            let guard = tracing::subscriber::set_default(subscriber);
            let app = foreign.app(database, url, ca).await;
            let zulkifli = app.zulkifli().await;
            let address = own_address(&app, &zulkifli).await;
            ask_for_code(&app, &zulkifli).await;
            let tried = "SELECT COUNT(*) FROM outbox
                         WHERE carrier = 'code' AND done_at IS NULL AND attempts > 1";
            until("tried again", async || {
                app.database.count(app.folder(), tried).await == 1
            })
            .await;
            let figures = app.figures().await;
            drop(guard);
            assert!(foreign.mails_to(&address).is_empty());
            assert!(log.text().contains("ERROR") && log.text().contains("TANYA_SMTP_URL"));
            assert!(!log.text().contains("salah") && !log.text().contains("rahsia"));
            let disagreed = "tanya_mails_total{outcome=\"disagreed\"} ";
            assert!(figures.contains(disagreed));
            assert!(!figures.contains(&format!("{disagreed}0\n")));
            // Once the settings are right, what waits is sent; the portal that starts with them has the usual address.
            let usual = zulkifli.email();
            let before = foreign.mails_to(usual).len();
            let right = [
                ("TANYA_SMTP_URL", foreign.url.as_str()),
                ("TANYA_SMTP_CA", foreign.ca.as_str()),
            ];
            let app = app.restart_with(&right).await;
            until("the mail", async || foreign.mails_to(usual).len() > before).await;
            settled(&app).await;
            app.stop().await;
        }
    }
}
