//! From the bot to people and back: what is asked, what is promised, and who hears what.

use serde_json::Value;
use tanya::agent::role::Role;
use tanya::ticket::TicketNumber;

use crate::support::Chat;
use crate::support::bot_api::updates::private_text;
use crate::support::proof::said;
use crate::{on_both_databases, on_telegram};

const AMINAH: i64 = 7_440_001;

fn number_in(replies: &[Value]) -> String {
    let with = replies
        .iter()
        .find(|reply| reply["ticket"]["number"].is_string());
    with.unwrap()["ticket"]["number"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// Whether a list of tickets has this one.
fn lists(page: &str, number: &str) -> bool {
    page.contains(&format!("href=\"/console/tiket/{number}"))
}

on_both_databases! {
    async fn an_officer_is_asked_for_and_at_most_three_things_are_asked(app: TestApp) {
        app.until_office_hours();
        let chat = app.begin().await;
        let asked = chat.say("nak cakap dengan pegawai").await;
        assert!(said(&asked).contains("berkaitan apa"), "{asked:#?}");
        let matter = Chat::choice(&asked[0], "Masalah teknikal Sistem iSPEKS");
        let department = chat.choose(&matter).await;
        assert!(said(&department).contains("jabatan/PTJ"), "{department:#?}");
        let problem = chat.say("Pejabat Tanah Bachok").await;
        assert!(said(&problem).contains("ayat ralat"), "{problem:#?}");
        let opened = chat.say("keluar ORA-01034 masa login, dah restart pc").await;
        let number = number_in(&opened);
        assert!(number.starts_with("TK-20"), "{number}");
        let told = said(&opened);
        assert!(told.contains(&number) && told.contains("Unit Teknologi Maklumat"), "{told}");
        assert!(told.contains("Sekarang waktu pejabat") && told.contains("contoh"), "{told}");

        // Only here, by its number, however it is written.
        let status = chat.say(&format!("macam mana dengan {}?", number.to_lowercase())).await;
        assert!(said(&status).contains("menunggu"), "{status:#?}");
        let stranger = app.begin().await;
        let foreign = stranger.say(&number).await;
        let missing = stranger.say("TK-2026-999999-0").await;
        assert!(said(&foreign).contains("tidak dapat ditunjukkan"), "{foreign:#?}");
        let _ = missing;

        let officer = app.officer("siti", Role::Officer).await;
        let page = officer.ticket(&number).await;
        assert!(page.contains("ORA-01034") && page.contains("Pejabat Tanah Bachok"), "{page}");
        let list = officer.page("/console?q=ora").await;
        assert!(lists(&list, &number));
        assert!(!lists(&officer.page("/console?q=tiadalangsung").await, &number));
        let mails = app.mails_about("teknikal@localhost", &number, 1).await;
        assert!(!mails[0].text.contains("ORA"), "a mail holds nothing of the person's");
    }

    async fn a_ticket_that_nobody_wanted_is_taken_back(app: TestApp) {
        let chat = app.begin().await;
        let asked = chat.say("nak cakap dengan pegawai").await;
        let matter = Chat::choice(&asked[0], "Portal iSPEKS");
        chat.choose(&matter).await;
        let cancelled = chat.say("batal").await;
        assert!(said(&cancelled).contains("tiada apa-apa yang diserahkan"), "{cancelled:#?}");
        assert_eq!(app.database.count(app.folder(), "SELECT COUNT(*) FROM ticket").await, 0);

        let number = chat.hand_over("skrin putih selepas log masuk").await;
        let open = "SELECT COUNT(*) FROM ticket WHERE status = 'open'";
        assert_eq!(app.database.count(app.folder(), open).await, 1);
        let undone = chat.choose("handoff:undo").await;
        assert!(said(&undone).contains(&format!("{number} telah dibatalkan")), "{undone:#?}");
        assert_eq!(app.database.count(app.folder(), open).await, 0);
    }

    async fn wrong_payslip_data_are_the_departments_first(app: TestApp) {
        let chat = app.begin().await;
        let asked = chat.say("nak cakap dengan pegawai").await;
        let matter = Chat::choice(&asked[0], "Maklumat penyata gaji tidak betul");
        let told = chat.choose(&matter).await;
        assert_eq!(told[0]["target"], "portal-masalah-penyata-gaji");
        let on = Chat::choice(&told[0], "Sudah dihubungi, teruskan");
        let asked = chat.choose(&on).await;
        assert!(said(&asked).contains("jabatan/PTJ"), "{asked:#?}");
    }

    async fn two_questions_without_an_answer_lead_to_an_officer(app: TestApp) {
        let chat = app.begin().await;
        chat.say("resepi nasi kerabu").await;
        let offered = chat.say("harga emas hari ini berapa").await;
        assert_eq!(offered[0]["choices"][0]["label"], "Hubungi pegawai");
        assert!(said(&offered).contains("masih tidak mempunyai jawapan"), "{offered:#?}");
    }

    async fn an_officer_talks_and_the_bot_is_silent_until_the_chat_is_handed_back(app: TestApp) {
        let chat = app.begin().await;
        let number = chat.hand_over("tak boleh buka penyata").await;
        let siti = app.officer("siti", Role::Officer).await;
        siti.does(&number, "ambil", &[]).await;
        let joined = chat.until_said("kini menyertai sembang ini").await;
        assert!(joined["text"].as_str().unwrap().contains("Pegawai siti"));

        let silence = chat.say("puan, masih tak boleh").await;
        assert!(silence.is_empty(), "{silence:#?}");
        assert!(siti.ticket(&number).await.contains("puan, masih tak boleh"));
        siti.does(&number, "balas", &[("text", "Cuba pelayar Chrome <b>terkini</b>."), ("do", "send")]).await;
        let heard = chat.until_said("Cuba pelayar Chrome").await;
        assert_eq!(heard["from"], "officer");
        assert_eq!(heard["name"], "Pegawai siti");
        assert_eq!(heard["text"], "Cuba pelayar Chrome <b>terkini</b>.");
        // Somebody else cannot talk into it.
        let other = app.officer("rahim", Role::Officer).await;
        let page = other.post(&format!("/console/tiket/{number}/balas"), &[("text", "hai"), ("do", "send")]).await;
        assert_eq!(page.status(), 422);
        assert!(page.text().await.unwrap().contains("Pegawai lain sedang memegang"));

        siti.does(&number, "serah", &[]).await;
        chat.until_said("semula kepada saya (Tanya)").await;
        let answered = chat.choose("entry:portal-daftar").await;
        assert_eq!(answered[0]["target"], "portal-daftar");
    }

    async fn what_is_said_later_is_for_the_ticket_after_asking_once(app: TestApp) {
        let chat = app.begin().await;
        let number = chat.hand_over("sistem hang").await;
        let asked = chat.say("xyz dah cuba lagi tapi sama sahaja").await;
        assert!(said(&asked).contains("Adakah mesej ini untuk pegawai"), "{asked:#?}");
        let yes = Chat::choice(&asked[0], "Tambah pada tiket");
        let added = chat.choose(&yes).await;
        assert!(said(&added).contains(&format!("ditambah pada tiket {number}")), "{added:#?}");
        let again = chat.say("xyz ni pun sama").await;
        assert!(said(&again).contains("ditambah pada tiket"), "{again:#?}");
    }

    async fn a_settled_ticket_is_opened_again_by_the_next_word(app: TestApp) {
        let chat = app.begin().await;
        let number = chat.hand_over("ralat 500").await;
        let siti = app.officer("siti", Role::Officer).await;
        siti.does(&number, "balas", &[("text", "Sudah dibaiki."), ("do", "resolve")]).await;
        chat.until_said("Sudah dibaiki.").await;
        let thanks = chat.say("terima kasih").await;
        assert!(thanks[0]["ticket"].is_null(), "{thanks:#?}");
        let again = chat.say("eh masih keluar benda yang sama ni").await;
        assert!(said(&again).contains(&format!("{number} dibuka semula")), "{again:#?}");
        assert!(lists(&siti.page("/console").await, &number));
        // After a fortnight it stays closed.
        siti.does(&number, "balas", &[("text", "Sekarang?"), ("do", "resolve")]).await;
        app.app.clock.advance(15 * 24 * 3_600_000);
        for _ in 0..200 {
            let closed = "SELECT COUNT(*) FROM ticket WHERE status = 'closed'";
            if app.database.count(app.folder(), closed).await == 1 {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        panic!("it was not closed");
    }

    async fn whom_nobody_takes_is_told_and_so_is_the_supervisor(app: TestApp) {
        app.until_office_hours();
        let chat = app.begin().await;
        let number = chat.hand_over("tak boleh login").await;
        app.app.clock.advance(6 * 60_000);
        chat.until_said("Belum ada pegawai yang mengambil").await;
        app.mails_about("helpdesk@localhost", &format!("[{number}] Pengguna masih menunggu"), 1).await;
        // Unanswered past the charter.
        app.app.clock.advance(30 * 24 * 3_600_000);
        app.mails_about("helpdesk@localhost", &format!("[{number}] Tiket lewat"), 1).await;
    }

    async fn tickets_of_two_chats_are_never_made_one(app: TestApp) {
        let first = app.begin().await.hand_over("sistem hang").await;
        let second = app.begin().await.hand_over("ralat semasa log masuk").await;
        let boss = app.officer("boss", Role::Supervisor).await;
        let merged = "SELECT COUNT(*) FROM ticket WHERE merged_into IS NOT NULL";
        boss.post(&format!("/console/tiket/{first}/gabung"), &[("into", &second)]).await;
        assert_eq!(app.database.count(app.folder(), merged).await, 0);
        // What came in at the counter has no chat, and goes into one.
        let fields = [("channel", "kaunter"), ("name", "Aminah Yusof"), ("ptj", "JKR"), ("queue", "teknikal"),
            ("priority", "high"), ("subject", "Sistem"), ("description", "Sistem hang")];
        let page = boss.post("/console/baharu", &fields).await.text().await.unwrap();
        let counter = format!("TK-{}", &page[page.find("TK-").unwrap() + 3..][..13]);
        boss.does(&counter, "gabung", &[("into", &first)]).await;
        assert_eq!(app.database.count(app.folder(), merged).await, 1);
    }

    async fn a_chat_whose_officer_has_left_is_handed_back(app: TestApp) {
        let chat = app.begin().await;
        let number = chat.hand_over("sistem hang").await;
        let siti = app.officer("siti", Role::Officer).await;
        siti.does(&number, "ambil", &[]).await;
        assert!(chat.say("puan?").await.is_empty());
        app.app.clock.advance(21 * 60_000);
        chat.until_said("semula kepada saya (Tanya)").await;
        let answered = chat.choose("entry:portal-daftar").await;
        assert_eq!(answered[0]["target"], "portal-daftar");
    }

    async fn one_chat_opens_five_tickets_a_day(app: TestApp) {
        let chat = app.begin().await;
        for _ in 0..5 {
            chat.hand_over("sistem hang").await;
            chat.choose("handoff:undo").await;
        }
        let refused = chat.say("nak cakap dengan pegawai").await;
        assert!(said(&refused).contains("Beberapa tiket"), "{refused:#?}");
    }

    async fn a_visitor_goes_on_in_the_chat_with_what_an_officer_opened(app: TestApp) {
        let siti = app.officer("siti", Role::Officer).await;
        let fields = [("channel", "kaunter"), ("name", "Aminah Yusof"), ("ptj", "JKR"), ("queue", "naziran"),
            ("priority", "high"), ("subject", "Borang capaian"), ("description", "Borang belum ditandatangani")];
        let page = siti.post("/console/baharu", &fields).await;
        assert_eq!(page.status(), 200);
        let page = page.text().await.unwrap();
        let token = crate::support::desk::between(&page, "/chat#", "<").split(['"', '&']).next().unwrap().to_owned();
        let number = format!("TK-{}", &page[page.find("TK-").unwrap() + 3..][..13]);
        // By name, though no name stands in the database.
        assert!(lists(&siti.page("/console?q=aminah").await, &number));
        let names = "SELECT COUNT(*) FROM ticket WHERE name LIKE '%minah%'";
        assert_eq!(app.database.count(app.folder(), names).await, 0);
        let chat = app.begin().await;
        let response = chat.bring_back(&token).await;
        assert_eq!(response.status(), 204);
        chat.until_said(&format!("bersambung dengan tiket {number}")).await;
        let added = chat.say("borang dah siap").await;
        assert!(said(&added).contains(&number), "{added:#?}");
        // Once.
        let thief = app.begin().await;
        assert_eq!(thief.bring_back(&token).await.status(), 410);
    }
}

on_telegram! {
    async fn an_officers_answer_goes_out_on_telegram(app: TestApp, telegram: BotApi) {
        for (said, count) in [("nak cakap dengan pegawai", 2), ("Portal iSPEKS", 3), ("JKR Machang", 4), ("skrin putih selepas log masuk", 5)] {
            telegram.give(private_text(AMINAH, said));
            telegram.until_sent(AMINAH, count).await;
        }
        let sent = telegram.until_sent(AMINAH, 5).await;
        let opened = sent[4]["text"].as_str().unwrap();
        let number = TicketNumber::find(opened).unwrap_or_else(|| panic!("{opened}")).to_string();
        let siti = app.officer("siti", Role::It).await;
        siti.does(&number, "ambil", &[]).await;
        siti.does(&number, "balas", &[("text", "Cuba pelayar lain."), ("do", "send")]).await;
        let sent = telegram.until_sent(AMINAH, 7).await;
        assert!(sent[5]["text"].as_str().unwrap().contains("Pegawai siti"));
        assert!(sent[6]["text"].as_str().unwrap().contains("Cuba pelayar lain."));
        // While the officer holds the chat the bot says nothing.
        telegram.give(private_text(AMINAH, "dah cuba, ok dah"));
        let begun = std::time::Instant::now();
        while !siti.ticket(&number).await.contains("dah cuba, ok dah") {
            assert!(begun.elapsed().as_secs() < 20);
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        assert_eq!(telegram.sent(AMINAH).len(), 7);
    }
}
