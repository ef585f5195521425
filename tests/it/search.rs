//! Officers find tickets: by number, subject and name, and by what was said in the chats.

use tanya::agent::role::Role;

use crate::browser_console::sign_in;
use crate::on_both_databases;
use crate::support::TestApp;
use crate::support::browser::{Browser, PHONE};
use crate::support::desk::Officer;

/// The numbers that a search lists.
async fn found(officer: &Officer<'_>, query: &str) -> Vec<String> {
    let page = officer.page(&format!("/console?{query}")).await;
    let rows = page.split("id=\"open-TK-").skip(1);
    rows.map(|row| format!("TK-{}", &row[..13])).collect()
}

on_both_databases! {
    async fn a_ticket_is_found_by_what_was_said_before_and_after_it_was_opened(app: TestApp) {
        let chat = app.begin().await;
        chat.say("kenapa baucar Zirafah saya kosong").await;
        let number = chat.hand_over("sistem hang").await;
        let other = app.begin().await.hand_over("skrin putih").await;
        let officer = app.officer("siti", Role::Officer).await;
        // Whatever its case, by whole words, in any order, all of them.
        assert_eq!(found(&officer, "q=ZIRAFAH").await, [number.as_str()]);
        assert_eq!(found(&officer, "in=chats&q=kosong+baucar").await, [number.as_str()]);
        assert!(found(&officer, "in=chats&q=zirafah+putih").await.is_empty());
        assert!(found(&officer, "in=chats&q=zira").await.is_empty());
        officer.does(&number, "ambil", &[]).await;
        chat.say("nombor giliran Tapirmalaya").await;
        officer.does(&number, "balas", &[("text", "Sila cuba Beruangmadu."), ("do", "send")]).await;
        assert_eq!(found(&officer, "in=chats&q=tapirmalaya+zirafah").await, [number.as_str()]);
        assert_eq!(found(&officer, "in=chats&q=beruangmadu").await, [number.as_str()]);
        // What the bot said is not looked through, and a chat without a ticket is not there.
        assert!(found(&officer, "in=chats&q=menyertai").await.is_empty());
        app.begin().await.say("Gajahputih").await;
        let kept = "SELECT COUNT(*) FROM chat_word";
        assert_eq!(app.database.count(app.folder(), kept).await, 2);
        // The page says where was searched, and leads to the other place.
        let page = officer.page("/console?q=skrin").await;
        assert!(page.contains(&other) && page.contains("Dicari dalam perkara dan nama sahaja."), "{page}");
        assert!(page.contains("in=chats"), "{page}");
        let page = officer.page("/console?q=satu+dua+tiga+empat").await;
        assert!(page.contains("Hanya tiga perkataan pertama dicari."), "{page}");
        // Filters hold there too.
        assert_eq!(found(&officer, "in=chats&q=zirafah&queue=teknikal").await, [number.as_str()]);
        assert!(found(&officer, "in=chats&q=zirafah&queue=naziran").await.is_empty());
        // Whoever may not read chats does not find by them.
        let auditor = app.officer("rahim", Role::Auditor).await;
        if auditor.get("/console?q=zirafah").await.status() == 200 {
            assert!(found(&auditor, "in=chats&q=zirafah").await.is_empty());
        }
    }

    async fn a_ticket_is_found_by_what_officers_noted(app: TestApp) {
        let officer = app.officer("siti", Role::Officer).await;
        let chat = app.begin().await;
        let number = chat.hand_over("sistem hang Zirafah").await;
        officer.does(&number, "nota", &[("text", "Pelayan Tapirmalaya dimulakan semula, pelayan stabil.")]).await;
        assert_eq!(found(&officer, "q=tapirmalaya").await, [number.as_str()]);
        assert_eq!(found(&officer, "in=chats&q=pelayan+stabil+pelayan").await, [number.as_str()]);
        assert!(found(&officer, "in=chats&q=pelayan+rosak").await.is_empty());
        // What a visitor at the counter describes is noted, and its words stand nowhere.
        let fields = [("channel", "kaunter"), ("name", "Aminah"), ("ptj", "JKR"), ("queue", "naziran"), ("priority", "high"),
            ("subject", "Borang"), ("description", "Belum ditandatangani Beruangmadu")];
        let page = officer.post("/console/baharu", &fields).await.text().await.unwrap();
        let visit = page[page.find("TK-").unwrap()..][..16].to_owned();
        assert_eq!(found(&officer, "q=beruangmadu").await, [visit.as_str()]);
        let readable = "SELECT COUNT(*) FROM ticket_word WHERE LOWER(word) IN ('beruangmadu', 'tapirmalaya')";
        assert_eq!(app.database.count(app.folder(), readable).await, 0);
        // Merged, they are found by what was noted on the other.
        app.officer("boss", Role::Supervisor).await.does(&visit, "gabung", &[("into", &number)]).await;
        assert!(found(&officer, "in=chats&q=beruangmadu").await.contains(&number));
    }

    async fn what_was_said_stands_in_no_index_and_goes_with_the_chat(app: TestApp) {
        let chat = app.begin().await;
        let number = chat.hand_over("sistem hang Zirafah").await;
        let officer = app.officer("siti", Role::Officer).await;
        assert_eq!(found(&officer, "in=chats&q=zirafah").await, [number.as_str()]);
        let readable = "SELECT COUNT(*) FROM chat_word WHERE LOWER(words) LIKE '%zirafah%'";
        assert_eq!(app.database.count(app.folder(), readable).await, 0);
        // /padam takes it along.
        chat.say("/padam").await;
        chat.say("Ya, padamkan").await;
        let kept = "SELECT COUNT(*) FROM chat_word";
        assert_eq!(app.database.count(app.folder(), kept).await, 0);
        // And so does the end of the days that messages are kept.
        let again = app.begin().await;
        again.hand_over("ralat Tapirmalaya").await;
        assert_eq!(app.database.count(app.folder(), kept).await, 1);
        app.app.clock.advance(91 * 24 * 3_600_000);
        app.app.retention.purge().await.unwrap();
        assert_eq!(app.database.count(app.folder(), kept).await, 0);
        let messages = "SELECT COUNT(*) FROM message";
        assert_eq!(app.database.count(app.folder(), messages).await, 0);
    }

    async fn a_form_that_is_sent_twice_is_taken_once(app: TestApp) {
        let chat = app.begin().await;
        let number = chat.hand_over("sistem hang").await;
        let officer = app.officer("siti", Role::Officer).await;
        let page = officer.ticket(&number).await;
        let once = crate::support::desk::between(&page, "name=\"once\" value=\"", "\"").to_owned();
        let path = format!("/console/tiket/{number}/balas");
        let fields = [("text", "Cuba pelayar lain."), ("do", "send"), ("once", once.as_str()), ("seen", "0")];
        let (one, other) = tokio::join!(officer.post(&path, &fields), officer.post(&path, &fields));
        let again = officer.post(&path, &fields).await;
        for response in [one, other, again] {
            assert_eq!(response.status(), 303);
            assert!(response.headers()["location"].to_str().unwrap().ends_with("done=balas"));
        }
        let said = "SELECT COUNT(*) FROM message WHERE sender = 'officer'";
        assert_eq!(app.database.count(app.folder(), said).await, 1);
        // Another text is another answer, even if the browser kept the form.
        let fields = [("text", "Cuba lagi."), ("do", "send"), ("once", once.as_str())];
        officer.post(&path, &fields).await;
        assert_eq!(app.database.count(app.folder(), said).await, 2);
        // A visitor's ticket, too.
        let page = officer.page("/console/baharu").await;
        let once = crate::support::desk::between(&page, "name=\"once\" value=\"", "\"").to_owned();
        let fields = [("channel", "kaunter"), ("name", "Aminah"), ("ptj", "JKR"), ("queue", "naziran"), ("priority", "high"),
            ("subject", "Borang"), ("description", "Belum ditandatangani"), ("once", once.as_str())];
        let (one, other) = tokio::join!(officer.post("/console/baharu", &fields), officer.post("/console/baharu", &fields));
        let number = |page: String| page[page.find("TK-").unwrap()..][..16].to_owned();
        assert_eq!(number(one.text().await.unwrap()), number(other.text().await.unwrap()));
        let tickets = "SELECT COUNT(*) FROM ticket";
        assert_eq!(app.database.count(app.folder(), tickets).await, 2);
        assert_eq!(app.database.count(app.folder(), "SELECT last FROM ticket_serial").await, 2);
    }
}

#[tokio::test]
async fn where_was_searched_is_said_to_everybody() {
    let Some(browser) = Browser::open(PHONE).await else {
        return;
    };
    let app = TestApp::with(&[]).await;
    app.begin().await.hand_over("sistem hang").await;
    sign_in(&browser, &app, "siti", Role::Officer).await;
    for (query, says) in [
        ("q=sistem", "Cari dalam mesej"),
        ("q=tiadalangsung", "Cari dalam perkara dan nama"),
    ] {
        browser.goto(&app.url(&format!("/console?{query}"))).await;
        let said =
            format!("document.querySelector('#list-searched')?.innerText.includes('{says}')");
        browser.until(&said).await;
        assert_eq!(browser.accessibility().await, Vec::<String>::new());
        assert!(browser.fits().await);
    }
    assert_eq!(browser.complaints().await, Vec::<String>::new());
    browser.close().await;
    app.stop().await;
}
