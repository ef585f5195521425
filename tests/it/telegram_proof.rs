//! Proving who one is on Telegram: on the page or in the chat, and what nobody gets by trying.

use std::cell::Cell;
use std::time::{Duration, Instant};

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::on_telegram;
use crate::support::bot_api::BOT_NAME;
use crate::support::bot_api::updates::{group_text, press, private_text};
use crate::support::proof::{InboxMail, Sample};
use crate::support::{BotApi, Database, TestApp, assert_problem};
use crate::telegram::{AMINAH, BAKAR, text};

const GROUP: i64 = -100_778;
const MINUTE: i64 = 60_000;
/// How long a story waits for what must come.
const PATIENCE: Duration = Duration::from_secs(20);

const PROVED: &str = "Pengesahan berjaya";
const MONTHS: &str = "Slip gaji yang ada";
const LINK: &str = "sedia dibuka";
const PROMPT: &str = "sila sahkan diri tuan/puan dahulu";
const PROMPT_BOUND: &str = "bagi nombor berakhir";
const REFUSED: &str = "bukan untuk sembang ini";

/// A person at their Telegram, who reads what comes in its order.
pub struct Phone<'a> {
    app: &'a TestApp,
    telegram: &'a BotApi,
    chat: i64,
    read: Cell<usize>,
}

impl<'a> Phone<'a> {
    pub fn of(app: &'a TestApp, telegram: &'a BotApi, chat: i64) -> Self {
        Self {
            app,
            telegram,
            chat,
            read: Cell::new(0),
        }
    }

    /// Types a message; its number.
    fn says(&self, words: &str) -> i64 {
        let update = private_text(self.chat, words);
        let number = update["message"]["message_id"].as_i64().unwrap();
        self.telegram.give(update);
        number
    }

    /// The next message that holds these words, whatever comes before it.
    async fn hears(&self, words: &str) -> Value {
        let begun = Instant::now();
        loop {
            let sent = self.telegram.sent(self.chat);
            let mut new = sent.iter().enumerate().skip(self.read.get());
            if let Some((place, message)) = new.find(|(_, message)| text(message).contains(words)) {
                self.read.set(place + 1);
                return message.clone();
            }
            let all: Vec<&str> = sent.iter().map(text).collect();
            assert!(begun.elapsed() < PATIENCE, "never {words:?}: {all:#?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Presses the button with this label.
    fn presses(&self, message: &Value, label: &str) {
        self.telegram
            .give(press(self.chat, message, &button(message, label)));
    }

    /// Whether nothing that the chat was told since it read last is for a person who is known.
    fn was_told_nothing_personal(&self) -> bool {
        let sent = self.telegram.sent(self.chat);
        let new = sent.iter().skip(self.read.get());
        let personal = [PROVED, MONTHS, LINK, "telah menerima permintaan"];
        new.map(text)
            .all(|said| personal.iter().all(|words| !said.contains(words)))
    }

    /// Does on the page that a prompt leads to what the page does, and returns its last answer.
    async fn proves(&self, prompt: &Value, person: &Sample) -> Value {
        let (app, token) = (self.app, token_in(prompt));
        let before = app.codes_to(person.email()).await.len();
        let started = app.give_number(&token, &person.kind, &person.id_no).await;
        assert_eq!(started.status(), StatusCode::ACCEPTED);
        let code = app.code(person.email(), before + 1).await;
        let finished = app.give_code(&token, &code).await;
        assert_eq!(finished.status(), StatusCode::OK);
        finished.json().await.unwrap()
    }

    /// Asks for a payslip as this person, proves it on the page and comes back: the chat is bound. The months that are
    /// offered.
    pub async fn is_bound_to(&self, person: &Sample) -> Value {
        self.says("/slip");
        let prompt = self.hears(PROMPT).await;
        let finished = self.proves(&prompt, person).await;
        self.returns(&finished);
        self.hears("Sembang ini kini dikaitkan").await;
        self.hears(MONTHS).await
    }

    /// Comes back from the page.
    fn returns(&self, finished: &Value) {
        let secret = finished["return"].as_str().unwrap();
        self.says(&format!("/start {secret}"));
    }

    /// Types the code that a bound chat's request has mailed.
    async fn types_the_code(&self, person: &Sample, count: usize) {
        let code = self.app.code(person.email(), count).await;
        self.says(&grouped(&code));
        self.hears(PROVED).await;
    }

    /// The numbers of the messages that were removed from this chat.
    fn removed(&self) -> Vec<i64> {
        let calls = self.telegram.calls("deleteMessage");
        let own = calls.iter().filter(|call| call["chat_id"] == self.chat);
        let mut numbers: Vec<i64> = own
            .map(|call| call["message_id"].as_i64().unwrap())
            .collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }

    /// Waits until these messages are removed, and no others.
    async fn until_removed(&self, numbers: &[i64]) {
        let begun = Instant::now();
        while numbers.iter().any(|it| !self.removed().contains(it)) {
            let removed = self.removed();
            assert!(
                begun.elapsed() < PATIENCE,
                "removed {removed:?} of {numbers:?}"
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(self.removed(), numbers);
    }
}

/// The labels and the data of the buttons under a message.
fn buttons(message: &Value) -> Vec<(String, String)> {
    let rows = message["reply_markup"]["inline_keyboard"].as_array();
    let buttons = rows
        .into_iter()
        .flatten()
        .flat_map(|row| row.as_array().unwrap());
    buttons
        .map(|button| {
            let field = |name: &str| button[name].as_str().unwrap_or_default().to_owned();
            (field("text"), field("callback_data"))
        })
        .collect()
}

fn button(message: &Value, label: &str) -> String {
    let buttons = buttons(message);
    let found = buttons.iter().find(|(text, _)| text.contains(label));
    let found = found.unwrap_or_else(|| panic!("no {label:?} in {buttons:?}"));
    found.1.clone()
}

/// The token of the page that a message leads to. Telegram takes no button to an address without TLS: it stands in the
/// text.
fn token_in(message: &Value) -> String {
    let (_, behind) = text(message).split_once('#').expect("an address");
    behind.split_whitespace().next().unwrap().to_owned()
}

/// A code as it stands in the mail.
fn grouped(code: &str) -> String {
    format!("{} {}", &code[..4], &code[4..])
}

/// A code that is not this one.
fn wrong(code: &str) -> String {
    let number: u64 = code.parse().unwrap();
    format!("{:08}", (number + 1) % 100_000_000)
}

/// Waits until everything that came is handled and everything that is to go out has gone.
async fn settled(app: &TestApp) {
    let begun = Instant::now();
    while app.figure("tanya_inbound_waiting").await + app.figure("tanya_outbox_waiting").await > 0.0
    {
        assert!(begun.elapsed() < PATIENCE, "it never gets quiet");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// How many groups of four and four digits a text has, and whether eight digits stand together.
fn codes_in(text: &str) -> (usize, bool) {
    let four = |word: &str| word.len() == 4 && word.bytes().all(|byte| byte.is_ascii_digit());
    let words: Vec<&str> = text.split_whitespace().collect();
    let pairs = words.windows(2).filter(|it| four(it[0]) && four(it[1]));
    let digits = |word: &&str| word.bytes().filter(u8::is_ascii_digit).count() >= 8;
    let plain = words.iter().filter(|word| !word.contains('#'));
    (
        pairs.count(),
        plain.filter(|word| !word.contains('/')).any(digits),
    )
}

/// A mail as it reads, without what differs each time.
fn masked(app: &TestApp, mail: &InboxMail) -> String {
    let url = format!("http://localhost:{}", app.app.http_addr.port());
    let mut text = mail.text.replace(&url, "URL").replace('\r', "");
    text = text.replace(&grouped(&mail.code().unwrap()), "CODE");
    let lines = text.lines().map(|line| match line.split_once('#') {
        Some((before, _)) => format!("{before}#TOKEN"),
        None => match line.split_once(": ") {
            Some((name @ ("Masa" | "Time"), time)) => {
                assert_eq!(time.len(), "23/11/2026, 09:15".len(), "{line}");
                format!("{name}: TIME")
            }
            _ => line.trim_end().to_owned(),
        },
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Asks for a payslip as somebody who calls themselves so; the mail with the code.
async fn code_mail(
    app: &TestApp,
    telegram: &BotApi,
    chat: i64,
    change: impl Fn(&mut Value),
) -> InboxMail {
    let zulkifli = app.zulkifli().await;
    let phone = Phone::of(app, telegram, chat);
    let mut update = private_text(chat, "/slip");
    change(&mut update["message"]["from"]);
    telegram.give(update);
    let token = token_in(&phone.hears(PROMPT).await);
    let before = app.codes_to(zulkifli.email()).await.len();
    app.give_number(&token, "staff", &zulkifli.id_no).await;
    app.code(zulkifli.email(), before + 1).await;
    app.codes_to(zulkifli.email()).await.remove(before)
}

on_telegram! {
    async fn a_person_proves_on_the_page_and_the_chat_goes_on_by_itself(app: TestApp, telegram: BotApi) {
        let zulkifli = app.zulkifli().await;
        let aminah = Phone::of(&app, telegram, AMINAH);
        aminah.says("/lupa");
        let prompt = aminah.hears(PROMPT).await;
        assert!(text(&prompt).contains("/verify#"), "{}", text(&prompt));
        let finished = aminah.proves(&prompt, &zulkifli).await;
        let secret = finished["return"].as_str().unwrap().to_owned();
        assert_eq!(finished["telegram"], format!("https://t.me/{BOT_NAME}?start={secret}"));
        settled(&app).await;
        assert!(aminah.was_told_nothing_personal());
        aminah.returns(&finished);
        let proved = aminah.hears(PROVED).await;
        assert!(text(&proved).ends_with(&format!("{}.", zulkifli.last4())), "{}", text(&proved));
        aminah.hears("dikaitkan dengan tuan/puan selama 30 hari").await;
        aminah.hears("sedang menghantar permintaan").await;
        let result = aminah.hears("telah menerima permintaan").await;
        assert!(text(&result).contains("•••@") && !text(&result).contains(zulkifli.email()));
        app.mails_about(zulkifli.email(), "kata laluan sementara", 1).await;
        app.mails_about(zulkifli.email(), "Sembang Telegram dikaitkan", 1).await;
        settled(&app).await;
        let stored = app.database.dump(app.folder()).await;
        for hidden in [secret.as_str(), &token_in(&prompt), &zulkifli.id_no, zulkifli.email()] {
            assert!(!stored.contains(hidden), "{hidden} is in the database");
        }
    }

    async fn ac_40_who_types_number_and_code_gets_the_documents_and_both_are_removed(app: TestApp, telegram: BotApi) {
        let zulkifli = app.zulkifli().await;
        let aminah = Phone::of(&app, telegram, AMINAH);
        aminah.says("/slip");
        let choice = aminah.hears("kakitangan atau pembekal?").await;
        aminah.presses(&choice, "Kakitangan");
        aminah.hears("taip nombor kad pengenalan").await;
        let malformed = aminah.says("850229-03-5551");
        aminah.hears("tersilap taip").await;
        let number = aminah.says(&zulkifli.id_no);
        aminah.hears("satu kod 8 digit dihantar").await;
        let code = app.code(zulkifli.email(), 1).await;
        let wrong = wrong(&code);
        let mistaken = aminah.says(&grouped(&wrong));
        aminah.hears("Baki cubaan: 4").await;
        let right = aminah.says(&grouped(&code));
        aminah.hears(PROVED).await;
        let offer = aminah.hears(MONTHS).await;
        assert_eq!(buttons(&offer).len(), 8);
        aminah.presses(&offer, &buttons(&offer)[1].0);
        aminah.hears(LINK).await;
        aminah.until_removed(&[malformed, number, mistaken, right]).await;
        settled(&app).await;
        let stored = app.database.dump(app.folder()).await;
        let secrets = [zulkifli.id_no.clone(), "850229".to_owned(), grouped(&code), code, grouped(&wrong), wrong];
        for secret in secrets {
            assert!(!stored.contains(&secret), "{secret} is in the database");
        }
    }

    async fn what_is_being_typed_can_be_stopped(app: TestApp, telegram: BotApi) {
        let zulkifli = app.zulkifli().await;
        let aminah = Phone::of(&app, telegram, AMINAH);
        aminah.says("/slip");
        let choice = aminah.hears("kakitangan atau pembekal?").await;
        aminah.presses(&choice, "Kakitangan");
        aminah.hears("taip nombor kad pengenalan").await;
        aminah.says("batal");
        aminah.hears("perkara itu dibatalkan").await;
        // It is asked for no more; it is removed like any number.
        let number = aminah.says(&zulkifli.id_no);
        aminah.hears("sedang dipadamkan").await;
        aminah.until_removed(&[number]).await;
        let given = "SELECT COUNT(*) FROM verification WHERE subject IS NOT NULL";
        assert_eq!(app.database.count(app.folder(), given).await, 0);
    }

    async fn ac_40_a_companys_old_number_is_taken_and_removed_too(app: TestApp, telegram: BotApi) {
        let supplier = app.person(|it| it.kind == "supplier" && it.active && it.id_no == "123456-X").await;
        let aminah = Phone::of(&app, telegram, AMINAH);
        aminah.says("/slip");
        let choice = aminah.hears("kakitangan atau pembekal?").await;
        aminah.presses(&choice, "Pembekal");
        aminah.hears("taip ID syarikat").await;
        let number = aminah.says(&supplier.id_no);
        aminah.hears("satu kod 8 digit dihantar").await;
        let code = app.code(supplier.email(), 1).await;
        let right = aminah.says(&code);
        aminah.hears(PROVED).await;
        aminah.hears("eMaklum").await;
        aminah.until_removed(&[number, right]).await;
        settled(&app).await;
        let stored = app.database.dump(app.folder()).await;
        for secret in ["123456-X", "123456X", &code, &grouped(&code)] {
            assert!(!stored.contains(secret), "{secret} is in the database");
        }
    }

    async fn ac_40_a_number_that_comes_before_the_question_is_answered_is_removed_too(app: TestApp, telegram: BotApi) {
        let aminah = Phone::of(&app, telegram, AMINAH);
        aminah.says("/slip");
        aminah.hears("kakitangan atau pembekal?").await;
        let number = aminah.says("123456-X");
        settled(&app).await;
        aminah.until_removed(&[number]).await;
        let stored = app.database.dump(app.folder()).await;
        assert!(!stored.contains("123456-X"));
    }

    async fn ac_40_a_code_with_a_digit_missing_is_removed_too(app: TestApp, telegram: BotApi) {
        let zulkifli = app.zulkifli().await;
        let aminah = Phone::of(&app, telegram, AMINAH);
        aminah.says("/slip");
        let choice = aminah.hears("kakitangan atau pembekal?").await;
        aminah.presses(&choice, "Kakitangan");
        aminah.hears("taip nombor kad pengenalan").await;
        let number = aminah.says(&zulkifli.id_no);
        aminah.hears("satu kod 8 digit dihantar").await;
        let code = app.code(zulkifli.email(), 1).await;
        let most = &grouped(&code)[..8];
        let mistyped = aminah.says(most);
        settled(&app).await;
        aminah.until_removed(&[number, mistyped]).await;
        let stored = app.database.dump(app.folder()).await;
        assert!(!stored.contains(most), "{most} is in the database");
    }

    async fn ac_26_a_bound_chat_needs_a_code_again_after_five_minutes_and_no_number(app: TestApp, telegram: BotApi) {
        let zulkifli = app.zulkifli().await;
        let aminah = Phone::of(&app, telegram, AMINAH);
        aminah.is_bound_to(&zulkifli).await;
        let asked = [("/slip", MONTHS), ("/ec", "Sila pilih tahun"), ("/lupa", "telah menerima permintaan")];
        for (turn, (words, given)) in asked.into_iter().enumerate() {
            app.app.clock.advance(5 * MINUTE + 1);
            aminah.says(words);
            let prompt = aminah.hears(PROMPT_BOUND).await;
            assert!(text(&prompt).contains(zulkifli.last4()), "{}", text(&prompt));
            aminah.hears("boleh ditaip di sini").await;
            let code = app.code(zulkifli.email(), turn + 2).await;
            // Whoever holds the Telegram account, and not the mailbox, has the FAQ and the tickets.
            aminah.says("/status");
            aminah.hears("Tiada permintaan atau aduan").await;
            settled(&app).await;
            assert!(aminah.was_told_nothing_personal());
            // On the page as in the chat the code is enough.
            if turn == 0 {
                let token = token_in(&prompt);
                let about = app.verify("about", json!({"token": token})).await;
                let about: Value = about.json().await.unwrap();
                assert_eq!((&about["step"], &about["ends_with"]), (&json!("code"), &json!(zulkifli.last4())));
                let finished = app.give_code(&token, &code).await;
                assert_eq!(finished.status(), StatusCode::OK);
                aminah.returns(&finished.json().await.unwrap());
            } else {
                aminah.says(&grouped(&code));
            }
            aminah.hears(PROVED).await;
            aminah.hears(given).await;
        }
        // It was bound once, and told once.
        let bound = app.mails_about(zulkifli.email(), "Sembang Telegram dikaitkan", 1).await;
        assert_eq!(bound.len(), 1);
    }

    async fn ac_29_a_proof_is_taken_only_from_the_account_that_asked_and_once(app: TestApp, telegram: BotApi) {
        let zulkifli = app.zulkifli().await;
        let second = app.second().await;
        let aminah = Phone::of(&app, telegram, AMINAH);
        let bakar = Phone::of(&app, telegram, BAKAR);
        aminah.says("/slip");
        let prompt = aminah.hears(PROMPT).await;
        let finished = aminah.proves(&prompt, &zulkifli).await;
        bakar.returns(&finished);
        bakar.hears(REFUSED).await;
        let refused = "SELECT COUNT(*) FROM audit WHERE event = 'proof.returned' AND outcome = 'refused'";
        assert_eq!(app.database.count(app.folder(), refused).await, 1);
        assert_eq!(app.database.count(app.folder(), "SELECT COUNT(*) FROM proof").await, 0);
        // Who asked can still have it, and nobody a second time.
        aminah.returns(&finished);
        aminah.hears(MONTHS).await;
        aminah.returns(&finished);
        aminah.hears(REFUSED).await;
        // Nor when it is too old.
        bakar.says("/slip");
        let prompt = bakar.hears(PROMPT).await;
        let finished = bakar.proves(&prompt, &second).await;
        app.app.clock.advance(10 * MINUTE + 1);
        bakar.returns(&finished);
        bakar.hears(REFUSED).await;
        bakar.says("/start nonsense-that-is-as-long-as-a-secret-is-000");
        settled(&app).await;
        assert!(bakar.was_told_nothing_personal());
        let bound = "SELECT COUNT(*) FROM binding WHERE ended_at IS NULL";
        assert_eq!(app.database.count(app.folder(), bound).await, 1);
    }

    async fn ac_30_a_second_account_of_the_same_person_ends_the_first(app: TestApp, telegram: BotApi) {
        let zulkifli = app.zulkifli().await;
        let aminah = Phone::of(&app, telegram, AMINAH);
        let bakar = Phone::of(&app, telegram, BAKAR);
        aminah.is_bound_to(&zulkifli).await;
        bakar.is_bound_to(&zulkifli).await;
        aminah.hears("tidak lagi dikaitkan dengan tuan/puan").await;
        let mails = app.mails_about(zulkifli.email(), "Sembang Telegram dikaitkan", 2).await;
        assert!(mails[1].text.contains("kaitannya telah ditamatkan"), "{}", mails[1].text);
        // What the first one proved ended with it: the number is asked for again, at once.
        aminah.says("/slip");
        aminah.hears(PROMPT).await;
        settled(&app).await;
        assert!(aminah.was_told_nothing_personal());
        let bound = "SELECT COUNT(*) FROM binding WHERE ended_at IS NULL";
        assert_eq!(app.database.count(app.folder(), bound).await, 1);
    }

    async fn ac_32_what_a_victim_proves_by_a_senders_link_gives_the_sender_nothing(app: TestApp, telegram: BotApi) {
        let zulkifli = app.zulkifli().await;
        let second = app.second().await;
        let attacker = Phone::of(&app, telegram, BAKAR);
        attacker.says("/slip");
        let prompt = attacker.hears(PROMPT).await;
        let choice = attacker.hears("kakitangan atau pembekal?").await;
        // The victim opens the link that was sent to them, and proves who they are.
        attacker.proves(&prompt, &zulkifli).await;
        settled(&app).await;
        let told = telegram.sent(BAKAR).len();
        attacker.presses(&choice, "Kakitangan");
        telegram.until_sent(BAKAR, told + 1).await;
        for typed in [second.id_no.as_str(), &zulkifli.id_no, "0000 0000", "12345678", "teruskan", "slip gaji bulan lepas"] {
            let told = telegram.sent(BAKAR).len();
            attacker.says(typed);
            telegram.until_sent(BAKAR, told + 1).await;
            settled(&app).await;
            let said: Vec<Value> = telegram.sent(BAKAR);
            let said: Vec<&str> = said.iter().map(text).collect();
            assert!(attacker.was_told_nothing_personal(), "{typed}: {said:#?}");
        }
        assert_eq!(app.database.count(app.folder(), "SELECT COUNT(*) FROM proof").await, 0);
        assert_eq!(app.database.count(app.folder(), "SELECT COUNT(*) FROM binding").await, 0);
    }

    async fn ac_32_no_code_that_a_sender_types_takes_what_a_victim_proved(app: TestApp, telegram: BotApi) {
        let zulkifli = app.zulkifli().await;
        let attacker = Phone::of(&app, telegram, BAKAR);
        attacker.says("/slip");
        let prompt = attacker.hears(PROMPT).await;
        let choice = attacker.hears("kakitangan atau pembekal?").await;
        // The sender has the code mailed, and the victim enters it on the page that was sent to them.
        attacker.presses(&choice, "Kakitangan");
        attacker.hears("taip nombor kad pengenalan").await;
        attacker.says(&zulkifli.id_no);
        attacker.hears("satu kod 8 digit dihantar").await;
        let code = app.code(zulkifli.email(), 1).await;
        let finished = app.give_code(&token_in(&prompt), &code).await;
        assert_eq!(finished.status(), StatusCode::OK);
        for typed in [wrong(&code), "0000 0000".to_owned(), "teruskan".to_owned()] {
            let told = telegram.sent(BAKAR).len();
            attacker.says(&typed);
            telegram.until_sent(BAKAR, told + 1).await;
            settled(&app).await;
            let said: Vec<Value> = telegram.sent(BAKAR);
            let said: Vec<&str> = said.iter().map(text).collect();
            assert!(attacker.was_told_nothing_personal(), "{typed}: {said:#?}");
        }
        assert_eq!(app.database.count(app.folder(), "SELECT COUNT(*) FROM proof").await, 0);
        assert_eq!(app.database.count(app.folder(), "SELECT COUNT(*) FROM binding").await, 0);
    }

    async fn ac_39_a_foreign_forwarded_or_old_button_opens_nothing(app: TestApp, telegram: BotApi) {
        let zulkifli = app.zulkifli().await;
        let aminah = Phone::of(&app, telegram, AMINAH);
        let offer = aminah.is_bound_to(&zulkifli).await;
        settled(&app).await;
        let before = telegram.sent(AMINAH).len();
        let month = buttons(&offer)[0].1.clone();
        let mut forwarded = offer.clone();
        forwarded["chat"] = json!({"id": GROUP, "type": "supergroup", "title": "Warga"});
        telegram.give(press(BAKAR, &offer, &month));
        telegram.give(press(BAKAR, &forwarded, &month));
        telegram.give(press(AMINAH, &forwarded, &month));
        let toasts = telegram.until_called("answerCallbackQuery", 3).await;
        assert!(toasts.iter().all(|toast| toast["text"].as_str().unwrap().contains("luput")));
        let mut own = offer.clone();
        own["chat"]["id"] = json!(BAKAR);
        telegram.give(press(BAKAR, &own, &month));
        Phone::of(&app, telegram, BAKAR).hears("sudah luput").await;
        settled(&app).await;
        assert_eq!(telegram.sent(AMINAH).len(), before);
        assert_eq!(telegram.sent(GROUP).len(), 0);
        // Its own person presses it when the proof is over: another is asked for.
        app.app.clock.advance(10 * MINUTE + 1);
        telegram.give(press(AMINAH, &offer, &month));
        aminah.hears(PROMPT_BOUND).await;
        settled(&app).await;
        assert!(aminah.was_told_nothing_personal());
        assert_eq!(app.database.count(app.folder(), "SELECT COUNT(*) FROM document_link").await, 0);
    }

    async fn ac_41_ac_44_a_link_is_protected_opens_once_and_is_removed(app: TestApp, telegram: BotApi) {
        let zulkifli = app.zulkifli().await;
        let aminah = Phone::of(&app, telegram, AMINAH);
        let offer = aminah.is_bound_to(&zulkifli).await;
        aminah.presses(&offer, &buttons(&offer)[1].0);
        let first = aminah.hears(LINK).await;
        let calls = telegram.calls("sendMessage");
        assert!(calls.iter().all(|call| call["link_preview_options"]["is_disabled"] == true));
        let secret: Vec<&Value> = calls.iter().filter(|call| text(call).contains("://localhost")).collect();
        assert_eq!(secret.len(), 2, "the prompt and the link");
        assert!(secret.iter().all(|call| call["protect_content"] == true), "{secret:#?}");

        let token = token_in(&first);
        let opened = app.press(&token).await;
        assert_eq!(opened.status(), StatusCode::SEE_OTHER);
        assert!(opened.headers()["location"].to_str().unwrap().starts_with(app.simulator()));
        aminah.hears("telah dibuka pada").await;
        assert_eq!(app.press(&token).await.status(), StatusCode::GONE);
        aminah.hears("Ada cubaan membuka semula").await;

        aminah.presses(&offer, &buttons(&offer)[2].0);
        let second = aminah.hears(LINK).await;
        settled(&app).await;
        assert!(aminah.removed().is_empty());
        app.app.clock.advance(10 * MINUTE);
        let number = |message: &Value| message["message_id"].as_i64().unwrap();
        aminah.until_removed(&[number(&first), number(&second)]).await;
        assert_eq!(app.press(&token_in(&second)).await.status(), StatusCode::GONE);

        aminah.presses(&offer, &buttons(&offer)[3].0);
        aminah.hears(PROMPT_BOUND).await;
        aminah.types_the_code(&zulkifli, 2).await;
        let third = aminah.hears(LINK).await;
        settled(&app).await;
        let begun = Instant::now();
        aminah.says("/keluar");
        aminah.hears("Perbualan ini ditamatkan").await;
        while !aminah.removed().contains(&number(&third)) {
            assert!(begun.elapsed() < Duration::from_secs(5), "it is still there");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(app.press(&token_in(&third)).await.status(), StatusCode::GONE);
        aminah.says("/slip");
        aminah.hears(PROMPT).await;
    }

    async fn ac_09_a_stranger_who_fails_thirty_times_shuts_out_strangers_only(app: TestApp, telegram: BotApi) {
        let zulkifli = app.zulkifli().await;
        let aminah = Phone::of(&app, telegram, AMINAH);
        aminah.is_bound_to(&zulkifli).await;
        let mut failures = 0;
        let mut chats = 0;
        while failures < 30 {
            chats += 1;
            assert!(chats < 60, "{failures} failures in {chats} chats");
            let token = app.begin().await.ask_for("slip").await;
            let started = app.give_number(&token, "staff", &zulkifli.id_no).await;
            assert_eq!(started.status(), StatusCode::ACCEPTED);
            loop {
                let answer = app.give_code(&token, "00000000").await;
                let wait = answer.headers().get("retry-after");
                let wait: Option<i64> = wait.map(|wait| wait.to_str().unwrap().parse().unwrap());
                if let Some(seconds) = wait {
                    app.app.clock.advance(seconds * 1_000 + 1_000);
                    continue;
                }
                let answer: Value = answer.json().await.unwrap();
                if answer["code"] != "wrong_code" {
                    break;
                }
                failures += 1;
                if answer["attempts_left"] == 0 || failures == 30 {
                    break;
                }
            }
        }
        app.mails_about(zulkifli.email(), "Cubaan pengesahan", 1).await;
        settled(&app).await;
        let before = app.codes_to(zulkifli.email()).await.len();
        // A stranger is shut out, in the same words as ever, and nothing is mailed.
        let token = app.begin().await.ask_for("slip").await;
        let started = app.give_number(&token, "staff", &zulkifli.id_no).await;
        assert_eq!(started.status(), StatusCode::ACCEPTED);
        assert_problem(app.give_code(&token, "00000000").await, 422, "locked").await;
        // The owner's own chat goes on.
        aminah.says("/slip");
        aminah.hears(PROMPT_BOUND).await;
        aminah.types_the_code(&zulkifli, before + 1).await;
        aminah.hears(MONTHS).await;
        settled(&app).await;
        assert_eq!(app.codes_to(zulkifli.email()).await.len(), before + 1);
        let notices = app.mails_about(zulkifli.email(), "Cubaan pengesahan", 1).await;
        assert_eq!(notices.len(), 1);
    }

    async fn ac_37_the_mail_says_who_asked_where_when_and_what_for(app: TestApp, telegram: BotApi) {
        let mail = code_mail(&app, telegram, AMINAH, |from| from["username"] = json!("aminah_kb")).await;
        assert_eq!(codes_in(&mail.text), (1, false), "{}", mail.text);
        let read = masked(&app, &mail);
        insta::allow_duplicates! {
            insta::assert_snapshot!(read, @r"
            Kod pengesahan e-mel tuan/puan / Your e-mail verification code:

                CODE

            Kod ini sah selama 10 minit dan hanya boleh digunakan sekali.

            Tujuan: Slip gaji bulanan
            Diminta melalui: Telegram (@aminah_kb)
            Masa: TIME

            Pegawai tidak akan meminta kod ini. Jangan berikan kod ini kepada sesiapa; masukkan hanya dalam sembang atau halaman yang tuan/puan sendiri buka.

            E-mel ini dihantar secara automatik oleh Tanya, pembantu Perbendaharaan Negeri Kelantan. Jika bukan tuan/puan yang memintanya, maklumkan di sini:
            URL/bukan-saya#TOKEN

            ----------------------------------------

            This code is valid for 10 minutes and can be used once.

            Purpose: Monthly payslip
            Requested through: Telegram (@aminah_kb)
            Time: TIME

            No officer will ever ask for this code. Give it to nobody; enter it only in a chat or page that you opened yourself.

            This e-mail was sent automatically by Tanya, the assistant of the Kelantan State Treasury. If it was not you who asked, tell us there:
            URL/bukan-saya#TOKEN
            ");
        }
    }

    async fn ac_37_no_name_that_somebody_gives_themselves_makes_a_mail_lie(app: TestApp, telegram: BotApi) {
        let hostile = "Ali\r\n\u{202E}1234 5678 https://jahat.example/x kod: 87654321";
        let mail = code_mail(&app, telegram, AMINAH, |from| from["first_name"] = json!(hostile)).await;
        assert_eq!(codes_in(&mail.text), (1, false), "{}", mail.text);
        assert!(mail.text.contains("Ali"), "{}", mail.text);
        let lines = masked(&app, &mail);
        for trick in ["\u{202E}", "jahat.example", "1234", "8765", "https"] {
            assert!(!lines.contains(trick), "{trick:?} in {lines}");
        }
        let named: Vec<&str> = lines.lines().filter(|line| line.contains("Telegram (")).collect();
        assert_eq!(named.len(), 2, "{lines}");
        assert!(named[0].starts_with("Diminta melalui: Telegram (Ali") && named[0].ends_with(')'), "{lines}");
    }

    async fn ac_37_who_asks_by_a_button_is_named_too(app: TestApp, telegram: BotApi) {
        let zulkifli = app.zulkifli().await;
        let aminah = Phone::of(&app, telegram, AMINAH);
        aminah.says("/slip");
        let prompt = aminah.hears(PROMPT).await;
        let mut update = press(AMINAH, &prompt, &button(&prompt, "Minta pautan baharu"));
        update["callback_query"]["from"]["username"] = json!("aminah_kb");
        telegram.give(update);
        let token = token_in(&aminah.hears(PROMPT).await);
        app.give_number(&token, "staff", &zulkifli.id_no).await;
        app.code(zulkifli.email(), 1).await;
        let mail = app.codes_to(zulkifli.email()).await.remove(0);
        assert!(mail.text.contains("Telegram (@aminah_kb)"), "{}", mail.text);
    }

    async fn ac_38_in_a_group_nothing_personal_is_begun(app: TestApp, telegram: BotApi) {
        let zulkifli = app.zulkifli().await;
        let aminah = Phone::of(&app, telegram, AMINAH);
        aminah.is_bound_to(&zulkifli).await;
        let asked = "SELECT COUNT(*) FROM verification";
        let before = app.database.count(app.folder(), asked).await;
        let words = ["/slip", "/lupa", "@tanya_test_bot slip gaji saya bulan lepas"];
        for (place, words) in words.into_iter().enumerate() {
            telegram.give(group_text(GROUP, AMINAH, words));
            let sent = telegram.until_sent(GROUP, place + 1).await;
            assert!(text(&sent[place]).contains("sembang peribadi"), "{words}: {}", text(&sent[place]));
        }
        settled(&app).await;
        for message in telegram.sent(GROUP) {
            assert!(!text(&message).contains('#') && buttons(&message).is_empty(), "{message}");
        }
        assert!(aminah.was_told_nothing_personal());
        assert_eq!(app.database.count(app.folder(), asked).await, before);
        assert_eq!(app.database.count(app.folder(), "SELECT COUNT(*) FROM document_link").await, 0);
    }
}

#[tokio::test]
async fn where_typing_is_switched_off_it_is_not_offered_and_not_taken() {
    let telegram = BotApi::start().await;
    let more = [("TANYA_TELEGRAM_TYPED_PROOF", "false")];
    let app = TestApp::with_telegram(Database::sqlite(), &telegram, &more).await;
    let zulkifli = app.zulkifli().await;
    let aminah = Phone::of(&app, &telegram, AMINAH);
    aminah.says("/slip");
    let prompt = aminah.hears(PROMPT).await;
    let number = aminah.says(&zulkifli.id_no);
    aminah.hears("sedang dipadamkan").await;
    aminah.until_removed(&[number]).await;
    let sent = telegram.sent(AMINAH);
    assert!(
        sent.iter()
            .all(|it| !text(it).contains("kakitangan atau pembekal"))
    );
    let given = "SELECT COUNT(*) FROM verification WHERE subject IS NOT NULL";
    assert_eq!(app.database.count(app.folder(), given).await, 0);
    // The page does it; and a bound chat is not told that it could type.
    let finished = aminah.proves(&prompt, &zulkifli).await;
    aminah.returns(&finished);
    aminah.hears(MONTHS).await;
    app.app.clock.advance(5 * MINUTE + 1);
    aminah.says("/slip");
    aminah.hears(PROMPT_BOUND).await;
    let code = app.code(zulkifli.email(), 2).await;
    aminah.says(&grouped(&code));
    aminah.hears("sedang dipadamkan").await;
    settled(&app).await;
    assert!(aminah.was_told_nothing_personal());
    let sent = telegram.sent(AMINAH);
    assert!(sent.iter().all(|it| !text(it).contains("ditaip di sini")));
    app.stop().await;
    assert_eq!(telegram.violations(), Vec::<String>::new());
}
