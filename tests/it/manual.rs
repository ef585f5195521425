//! A treasury without a portal interface: an officer does it, and whoever asked is told only what happened.

use serde_json::{Value, json};
use tanya::ticket::TicketNumber;

use crate::audit::beside;
use crate::support::proof::{MALFORMED, said, token_of};
use crate::support::{Chat, Database, TestApp, assert_problem};

const NUMBER: &str = "880313-03-6661";
const PLAIN: &str = "880313036661";
const HELPDESK: &str = "helpdesk@localhost";

/// Tells a story in manual mode, on SQLite and on PostgreSQL.
macro_rules! in_manual_mode {
    ($(async fn $name:ident($app:ident: TestApp) $body:block)*) => {
        $(
            mod $name {
                use super::*;

                async fn story($app: &TestApp) $body

                async fn told(database: Database) {
                    let app = TestApp::start(database, &[("TANYA_PORTAL_URL", "none")]).await;
                    story(&app).await;
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

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Hands a number to an officer from a new chat; the chat and the ticket's number.
async fn handed_over<'a>(app: &'a TestApp, action: &str, id_no: &str) -> (Chat<'a>, String) {
    let chat = app.begin().await;
    let token = chat.ask_for(action).await;
    let taken = app.give_number(&token, "staff", id_no).await;
    assert_eq!(taken.status(), 202);
    let told = chat.until_said("diserahkan kepada pegawai").await;
    let number = told["ticket"]["number"].as_str().unwrap().to_owned();
    (chat, number)
}

async fn count(app: &TestApp, rows: &'static str) -> i64 {
    app.database.count(app.folder(), rows).await
}

const TICKETS: &str = "SELECT COUNT(*) FROM ticket";
const REQUESTS: &str = "SELECT COUNT(*) FROM verification";

/// The number stands nowhere as it is.
async fn assert_sealed(app: &TestApp) {
    let dump = app.database.dump(app.folder()).await;
    assert!(
        dump.contains("lupa-kata-laluan"),
        "the dump shows what is kept"
    );
    assert!(!dump.contains(NUMBER) && !dump.contains(PLAIN));
}

in_manual_mode! {
    async fn a_person_who_forgot_the_password_is_helped_by_an_officer(app: TestApp) {
        let chat = app.begin().await;
        let answer = chat.say("lupa kata laluan portal").await.remove(0);
        let choice = Chat::choice(&answer, "Set semula kata laluan Portal");
        let prompt = chat.choose(&choice).await.remove(0);
        assert_eq!(prompt["kind"], "prompt");
        assert!(prompt["text"].as_str().unwrap().contains("dilaksanakan oleh pegawai"));
        let token = token_of(&prompt);
        let about = app.verify("about", json!({"token": token})).await;
        let about: Value = about.json().await.unwrap();
        assert_eq!(about["mode"], "manual");
        assert_eq!(about["step"], "number");
        assert_eq!(about["action"], "lupa-kata-laluan");

        let taken = app.give_number(&token, "staff", NUMBER).await;
        assert_eq!(taken.status(), 202);
        let taken: Value = taken.json().await.unwrap();
        assert_eq!(taken, json!({"done": true}));
        let told = chat.until_said("diserahkan kepada pegawai").await;
        let number = told["ticket"]["number"].as_str().unwrap().to_owned();
        assert_eq!(told["ticket"]["status"], "open");
        let sentence = told["text"].as_str().unwrap();
        assert!(sentence.contains(&number) && sentence.contains("Belum ada e-mel dihantar"));
        assert!(TicketNumber::parse(&number).is_some(), "{number}");
        // Officers are told that there is something to do, and not for whom.
        let mail = app.mails_about(HELPDESK, &number, 1).await.remove(0);
        assert!(mail.text.contains(&number) && mail.text.contains("kata laluan"));
        for secret in [NUMBER, PLAIN, "6661"] {
            assert!(!mail.text.contains(secret) && !mail.subject.contains(secret));
        }
        assert_sealed(app).await;
        let status = chat.say("/status").await.remove(0);
        assert!(status["text"].as_str().unwrap().contains("sedang menunggu tindakan pegawai"));
        assert_eq!(status["ticket"], json!({"number": number, "status": "open"}));

        // The officer sees it, does it at the portal, and settles it.
        let list = beside(app, &["ticket", "list"]).await;
        assert_eq!(list.status.code(), Some(0), "{}", text(&list.stderr));
        let list = text(&list.stdout);
        assert!(list.contains(&number) && list.contains("helpdesk") && !list.contains(PLAIN), "{list}");
        let shown = "SELECT COUNT(*) FROM audit WHERE event = 'ticket' AND outcome = 'shown'";
        assert_eq!(count(app, shown).await, 0);
        let show = beside(app, &["ticket", "show", &number]).await;
        assert_eq!(show.status.code(), Some(0), "{}", text(&show.stderr));
        let show = text(&show.stdout);
        assert!(show.contains(PLAIN) && show.contains("staff"), "{show}");
        assert!(show.contains("Never change it, never read it out"));
        assert_eq!(count(app, shown).await, 1);
        let resolve = beside(app, &["ticket", "resolve", &number.to_lowercase()]).await;
        assert_eq!(resolve.status.code(), Some(0), "{}", text(&resolve.stderr));
        let told = chat.until_said("telah dilaksanakan oleh pegawai").await;
        assert_eq!(told["ticket"], json!({"number": number, "status": "resolved"}));
        let status = chat.say("/status").await.remove(0);
        assert!(status["text"].as_str().unwrap().contains("selesai"));
        let story = said(&chat.messages(0).await);
        assert_eq!(story.matches("diserahkan kepada pegawai").count(), 1, "{story}");

        // What was sealed for the officer is gone.
        assert_eq!(count(app, "SELECT COUNT(*) FROM ticket WHERE details IS NOT NULL").await, 0);
        let show = beside(app, &["ticket", "show", &number]).await;
        assert!(!text(&show.stdout).contains(PLAIN));
        let again = beside(app, &["ticket", "resolve", &number]).await;
        assert_eq!(again.status.code(), Some(1));
        assert!(text(&again.stderr).contains("settled already"));
        let list = beside(app, &["ticket", "list"]).await;
        assert!(text(&list.stdout).contains("Nothing is open"));
        assert_sealed(app).await;
    }

    async fn settling_a_ticket_is_recorded(app: TestApp) {
        let (_chat, number) = handed_over(app, "lupa", NUMBER).await;
        beside(app, &["ticket", "resolve", &number]).await;
        let lines = "SELECT COUNT(*) FROM audit WHERE event = 'ticket'";
        assert_eq!(count(app, lines).await, 2, "opened, and settled");
    }

    async fn registration_is_an_officers_task_too(app: TestApp) {
        let (chat, number) = handed_over(app, "daftar", NUMBER).await;
        let mail = app.mails_about(HELPDESK, &number, 1).await.remove(0);
        assert!(mail.text.to_lowercase().contains("daftar"), "{}", mail.text);
        let (other, second) = handed_over(app, "lupa", NUMBER).await;
        assert_ne!(number, second);
        // Each chat sees its own.
        for (chat, own, foreign) in [(&chat, &number, &second), (&other, &second, &number)] {
            let status = said(&chat.say("/status").await);
            assert!(status.contains(own) && !status.contains(foreign), "{status}");
        }
        let stranger = app.begin().await.say("/status").await.remove(0);
        assert!(stranger["text"].as_str().unwrap().starts_with("Tiada permintaan"));
    }

    async fn documents_are_explained_and_never_an_officers_task(app: TestApp) {
        let chat = app.begin().await;
        for words in ["/slip", "/ec", "slip gaji bulan lepas", "penyata tahunan 2025", "/sesi"] {
            for reply in chat.say(words).await {
                assert_ne!(reply["kind"], "prompt", "{words}: {reply}");
                assert!(reply["link"].is_null(), "{words}: {reply}");
            }
        }
        let slip = chat.say("/slip").await.remove(0);
        assert_eq!(slip["kind"], "answer");
        assert!(slip.to_string().contains("p.ispeks.kelantan.gov.my") || slip["answer"]["steps"].is_array());
        // A choice that only a portal could offer does nothing here.
        let made_up = json!({"client_id": uuid::Uuid::new_v4(), "choice": "do:slip-gaji:2026-10"});
        assert_problem(chat.post_message(&made_up).await, 409, "choice_expired").await;
        assert_eq!(count(app, TICKETS).await, 0);
        assert_eq!(count(app, REQUESTS).await, 0);
    }

    async fn a_link_serves_once_and_a_made_up_one_never(app: TestApp) {
        let chat = app.begin().await;
        let token = chat.ask_for("lupa").await;
        assert_problem(app.give_number(&token, "staff", MALFORMED).await, 422, "invalid_id_no").await;
        for made_up in ["", "x", &format!("{token}A"), &"A".repeat(token.len())] {
            assert_problem(app.give_number(made_up, "staff", NUMBER).await, 410, "link_gone").await;
        }
        // There is no code to give, and so no proof.
        let given = app.give_code(&token, "00000000").await;
        assert!([410, 422].contains(&given.status().as_u16()), "{}", given.status());
        assert_problem(chat.bring_back("x").await, 410, "link_gone").await;
        assert_eq!(count(app, TICKETS).await, 0);
        assert_eq!(app.give_number(&token, "staff", NUMBER).await.status(), 202);
        assert_problem(app.give_number(&token, "staff", NUMBER).await, 410, "link_gone").await;
        assert_problem(app.verify("about", json!({"token": token})).await, 410, "link_gone").await;
        assert_problem(app.give_code(&token, "00000000").await, 410, "link_gone").await;
        let late = chat.ask_for("lupa").await;
        app.app.clock.advance(10 * 60_000 + 1);
        assert_problem(app.give_number(&late, "staff", NUMBER).await, 410, "link_gone").await;
        assert_eq!(count(app, TICKETS).await, 1);
        assert_eq!(count(app, "SELECT COUNT(*) FROM proof").await, 0);
    }

    async fn of_many_who_send_one_link_at_once_one_makes_a_task(app: TestApp) {
        let chat = app.begin().await;
        let token = chat.ask_for("lupa").await;
        let sent = (0..30).map(|_| app.give_number(&token, "staff", NUMBER));
        let answers = futures_util::future::join_all(sent).await;
        let taken = answers.iter().filter(|answer| answer.status() == 202).count();
        assert_eq!(taken, 1);
        assert_eq!(count(app, TICKETS).await, 1);
    }

    async fn a_link_sent_to_a_victim_gives_its_sender_nothing(app: TestApp) {
        let attacker = app.begin().await;
        let token = attacker.ask_for("lupa").await;
        // The victim opens it and gives their own number: an officer mails the victim's own address, and nobody else.
        app.give_number(&token, "staff", NUMBER).await;
        let told = attacker.until_said("diserahkan kepada pegawai").await;
        let number = told["ticket"]["number"].as_str().unwrap();
        app.mails_about(HELPDESK, number, 1).await;
        beside(app, &["ticket", "resolve", number]).await;
        attacker.until_said("telah dilaksanakan oleh pegawai").await;
        let everything = Value::from(attacker.messages(0).await).to_string();
        for secret in [NUMBER, PLAIN, "6661", "@"] {
            assert!(!everything.contains(secret), "{secret}: {everything}");
        }
        let officers = ["helpdesk@localhost", "teknikal@localhost", "naziran@localhost"];
        for mail in app.inbox().await {
            assert!(officers.contains(&mail.to.as_str()), "{mail:?}");
        }
    }

    async fn officers_are_not_flooded(app: TestApp) {
        // One number, from any number of chats: three an hour.
        for _ in 0..6 {
            let token = app.begin().await.ask_for("lupa").await;
            app.give_number(&token, "staff", NUMBER).await;
        }
        assert_eq!(count(app, TICKETS).await, 3);
        // One chat, any number of numbers: three a day.
        let chat = app.begin().await;
        for number in ["840229-03-5551", "840301-03-5552", "840302-03-5553", "840303-03-5554", "840304-03-5555"] {
            let token = chat.ask_for("lupa").await;
            app.give_number(&token, "staff", number).await;
        }
        assert_eq!(count(app, TICKETS).await, 6);
        let withheld = "SELECT COUNT(*) FROM audit WHERE event = 'verify.started' AND outcome = 'withheld'";
        assert_eq!(count(app, withheld).await, 5);
        // Who was refused was told nothing that is not so.
        let told = said(&chat.messages(0).await);
        assert_eq!(told.matches("diserahkan kepada pegawai").count(), 3, "{told}");
    }

    async fn a_mistyped_ticket_number_shows(app: TestApp) {
        let (_chat, number) = handed_over(app, "lupa", NUMBER).await;
        let last: u32 = number.chars().last().unwrap().to_digit(10).unwrap();
        let wrong = format!("{}{}", &number[..number.len() - 1], (last + 1) % 10);
        let missing = TicketNumber::new(2026, 999_999).to_string();
        for command in ["show", "resolve"] {
            let mistyped = beside(app, &["ticket", command, &wrong]).await;
            assert_eq!(mistyped.status.code(), Some(2), "{}", text(&mistyped.stderr));
            let none = beside(app, &["ticket", command, &missing]).await;
            assert_eq!(none.status.code(), Some(1), "{}", text(&none.stderr));
        }
        let open = "SELECT COUNT(*) FROM ticket WHERE status = 'open' AND details IS NOT NULL";
        assert_eq!(count(app, open).await, 1);
    }

    async fn a_task_outlives_its_chat(app: TestApp) {
        let (chat, number) = handed_over(app, "lupa", NUMBER).await;
        chat.say("/padam").await;
        chat.choose("erase:yes").await;
        let show = beside(app, &["ticket", "show", &number]).await;
        assert!(text(&show.stdout).contains(PLAIN), "{}", text(&show.stderr));
        let resolve = beside(app, &["ticket", "resolve", &number]).await;
        assert_eq!(resolve.status.code(), Some(0), "{}", text(&resolve.stderr));
        assert_eq!(count(app, "SELECT COUNT(*) FROM ticket WHERE details IS NOT NULL").await, 0);
    }
}

#[tokio::test]
async fn who_watches_the_chat_is_told_when_an_officer_settles_it() {
    let databases = std::iter::once(Database::sqlite()).chain(Database::postgres().await);
    for database in databases {
        let app = TestApp::start(database, &[("TANYA_PORTAL_URL", "none")]).await;
        let (chat, number) = handed_over(&app, "lupa", NUMBER).await;
        // However long it takes: the chat waits as long as its task does.
        app.app.clock.advance(3 * 24 * 3_600_000);
        let rest = format!("/events?after={}", chat.messages(0).await.len());
        let stream = chat.request(reqwest::Method::GET, &rest).send().await;
        let mut events = crate::support::stream::EventStream::new(stream.unwrap());
        beside(&app, &["ticket", "resolve", &number]).await;
        let told = events.message().await;
        assert_eq!(
            told["ticket"],
            json!({"number": number, "status": "resolved"})
        );
        app.stop().await;
    }
}
