//! Screenshots that people send in the web chat: what is taken, where it goes, and how an officer gets it.

use image::GenericImageView;
use reqwest::{Method, Response};
use tanya::agent::role::Role;
use uuid::Uuid;

use crate::on_both_databases;
use crate::support::desk::{Officer, between, browser};
use crate::support::picture::{bomb, contains, jpeg, png, screenshot};
use crate::support::proof::said;
use crate::support::{Chat, TestApp, assert_problem};

/// The addresses of the pictures on a ticket's page.
pub fn listed(page: &str) -> Vec<String> {
    let links = page.split("href=\"").skip(1);
    let links = links.filter_map(|rest| rest.split('"').next());
    links
        .filter(|link| link.contains("/gambar/"))
        .map(str::to_owned)
        .collect()
}

async fn kept(app: &TestApp) -> i64 {
    app.database
        .count(app.folder(), "SELECT COUNT(*) FROM picture")
        .await
}

async fn downloads(officer: &Officer<'_>, path: &str) -> (Response, Vec<u8>) {
    let response = officer.get(path).await;
    assert_eq!(response.status(), 200, "{path}");
    let head = officer.get(path).await;
    (head, response.bytes().await.unwrap().to_vec())
}

on_both_databases! {
    async fn a_screenshot_goes_with_the_ticket_that_is_being_prepared(app: TestApp) {
        let chat = app.begin().await;
        let asked = chat.say("nak cakap dengan pegawai").await;
        chat.choose(&Chat::choice(&asked[0], "Masalah teknikal Sistem iSPEKS")).await;
        let problem = chat.say("JKR Kota Bharu").await;
        assert!(said(&problem).contains("Tangkapan skrin (JPEG atau PNG"), "{problem:#?}");
        let taken = chat.send_picture(png(7)).await;
        assert!(said(&taken).contains("akan disertakan dalam tiket"), "{taken:#?}");
        // It asks on where it stood.
        assert!(said(&taken).contains("ayat ralat"), "{taken:#?}");
        let opened = chat.say("keluar ralat macam dalam gambar").await;
        let number = opened[0]["ticket"]["number"].as_str().unwrap();
        let own = chat.messages(0).await;
        let line = own.iter().find(|message| message["text"] == "[gambar dihantar]").expect("a line in the transcript");
        assert_eq!(line["from"], "user");

        let siti = app.officer("siti", Role::Officer).await;
        let page = siti.ticket(number).await;
        let links = listed(&page);
        assert_eq!(links.len(), 1, "{page}");
        let (response, bytes) = downloads(&siti, &links[0]).await;
        let headers = response.headers();
        assert_eq!(headers["content-disposition"], format!("attachment; filename=\"{number}-1.png\"").as_str());
        assert_eq!(headers["content-type"], "image/png");
        assert_eq!(headers["x-content-type-options"], "nosniff");
        assert_eq!(headers["content-security-policy"], "sandbox; default-src 'none'");
        assert_eq!(headers["cache-control"], "private, no-store");
        assert_eq!(headers["cross-origin-resource-policy"], "same-origin");
        assert_eq!(image::load_from_memory(&bytes).unwrap(), screenshot(7));
        // Who took it is recorded, each time.
        let audited = "SELECT COUNT(*) FROM audit WHERE event = 'ticket' AND outcome = 'picture-taken'";
        assert_eq!(app.database.count(app.folder(), audited).await, 2);
    }

    async fn a_screenshot_goes_to_the_open_ticket_and_is_news_to_the_officers(app: TestApp) {
        let chat = app.begin().await;
        let number = chat.hand_over("sistem hang").await;
        let siti = app.officer("siti", Role::Officer).await;
        siti.does(&number, "balas", &[("text", "Boleh hantar gambar?"), ("do", "send")]).await;
        chat.until_said("Boleh hantar gambar?").await;
        let unread = "SELECT COUNT(*) FROM ticket WHERE unread_at IS NOT NULL AND status = 'open'";
        assert_eq!(app.database.count(app.folder(), unread).await, 0);
        let added = chat.send_picture(jpeg(3)).await;
        assert!(said(&added).contains(&format!("ditambah pada tiket {number}")), "{added:#?}");
        assert_eq!(app.database.count(app.folder(), unread).await, 1);
        let page = siti.ticket(&number).await;
        assert!(page.contains("[gambar dihantar]") && page.contains("Pengguna menghantar gambar"), "{page}");
        assert_eq!(listed(&page).len(), 1);
        // While the officer holds the chat it goes straight to them.
        siti.does(&number, "ambil", &[]).await;
        chat.until_said("kini menyertai sembang ini").await;
        assert!(chat.send_picture(png(4)).await.is_empty());
        let links = listed(&siti.ticket(&number).await);
        assert_eq!(links.len(), 2);
        let (response, _) = downloads(&siti, &links[1]).await;
        assert_eq!(response.headers()["content-disposition"], format!("attachment; filename=\"{number}-2.png\"").as_str());
    }

    async fn a_screenshot_without_a_ticket_waits_a_day_for_one(app: TestApp) {
        let chat = app.begin().await;
        let offered = chat.send_picture(png(1)).await;
        assert!(said(&offered).contains("tidak dapat membaca gambar"), "{offered:#?}");
        let officer = Chat::choice(offered.last().unwrap(), "Hubungi pegawai");
        let asked = chat.choose(&officer).await;
        chat.choose(&Chat::choice(&asked[0], "Portal iSPEKS")).await;
        chat.say("JKR Machang").await;
        let opened = chat.say("macam dalam gambar tadi").await;
        let number = opened[0]["ticket"]["number"].as_str().unwrap();
        let siti = app.officer("siti", Role::Officer).await;
        assert_eq!(listed(&siti.ticket(number).await).len(), 1);

        // What was cancelled is gone at once, what nobody claimed after a day, and the rest with the messages.
        let other = app.begin().await;
        other.say("nak cakap dengan pegawai").await;
        other.send_picture(png(2)).await;
        assert_eq!(kept(app).await, 2);
        other.say("batal").await;
        assert_eq!(kept(app).await, 1);
        other.send_picture(png(3)).await;
        app.app.clock.advance(25 * 3_600_000);
        app.app.retention.purge().await.unwrap();
        assert_eq!(kept(app).await, 1);
        app.app.clock.advance(91 * 24 * 3_600_000);
        app.app.retention.purge().await.unwrap();
        assert_eq!(kept(app).await, 0);
    }

    async fn whoever_deletes_the_record_deletes_the_pictures(app: TestApp) {
        let chat = app.begin().await;
        chat.hand_over("sistem hang").await;
        chat.send_picture(png(1)).await;
        let asked = chat.say("/padam").await;
        chat.choose(asked[0]["choices"][0]["value"].as_str().unwrap()).await;
        assert_eq!(kept(app).await, 0);
    }

    async fn the_same_picture_twice_is_one_and_five_a_day_are_taken(app: TestApp) {
        let chat = app.begin().await;
        let number = chat.hand_over("sistem hang").await;
        let id = Uuid::new_v4();
        for _ in 0..3 {
            let response = chat.post_picture(id, "image/png", png(1)).await;
            assert_eq!(response.status(), 200);
        }
        assert_eq!(kept(app).await, 1);
        for shade in 2..6 {
            chat.send_picture(png(shade)).await;
        }
        let full = chat.send_picture(png(9)).await;
        assert!(said(&full).contains("tidak disimpan"), "{full:#?}");
        assert_eq!(kept(app).await, 5);
        app.app.clock.advance(24 * 3_600_000 + 1_000);
        for shade in 0..5 {
            chat.send_picture(png(shade)).await;
        }
        // A ticket has ten.
        app.app.clock.advance(24 * 3_600_000 + 1_000);
        let full = chat.send_picture(png(9)).await;
        assert!(said(&full).contains("tidak disimpan"), "{full:#?}");
        let siti = app.officer("siti", Role::Officer).await;
        assert_eq!(listed(&siti.ticket(&number).await).len(), 10);
    }

    async fn ac_71_what_hides_in_a_picture_never_comes_out(app: TestApp) {
        let chat = app.begin().await;
        let number = chat.hand_over("sistem hang").await;
        let html = b"<html><script>alert(document.domain)</script></html>".as_slice();
        let zip = b"PK\x03\x04\x14\0\0\0\0\0payload.exe PK\x05\x06".as_slice();
        for tail in [html, zip] {
            chat.send_picture([png(1).as_slice(), tail].concat()).await;
            chat.send_picture([jpeg(1).as_slice(), tail].concat()).await;
        }
        let siti = app.officer("siti", Role::Officer).await;
        let links = listed(&siti.ticket(&number).await);
        assert_eq!(links.len(), 4);
        for link in links {
            let (_, bytes) = downloads(&siti, &link).await;
            assert!(!contains(&bytes, html) && !contains(&bytes, zip));
            assert!(image::load_from_memory(&bytes).is_ok());
        }
        // What is kept is sealed: no picture can be found in the database.
        let dump = app.database.dump(app.folder()).await;
        assert!(!dump.contains("iVBORw0KGgo") && !dump.contains("IHDR"));
    }

    async fn ac_72_what_is_no_picture_is_refused_whatever_it_says_it_is(app: TestApp) {
        let chat = app.begin().await;
        chat.hand_over("sistem hang").await;
        for bytes in [
            b"<svg xmlns=\"http://www.w3.org/2000/svg\" onload=\"alert(1)\"/>".as_slice(),
            b"<!doctype html><script>alert(1)</script>",
            b"%PDF-1.7\n1 0 obj<</OpenAction<</S/JavaScript/JS(app.alert(1))>>>>",
            b"GIF89a\x01\0\x01\0\0\0\0;",
            b"PK\x03\x04\x14\0\0\0",
            b"",
        ] {
            let response = chat.post_picture(Uuid::new_v4(), "image/png", bytes.to_vec()).await;
            assert_problem(response, 415, "unsupported_type").await;
        }
        for kind in ["image/svg+xml", "text/html", "application/json", "multipart/form-data; boundary=x", "image/gif"] {
            let response = chat.post_picture(Uuid::new_v4(), kind, png(1)).await;
            assert_problem(response, 415, "unsupported_type").await;
        }
        let half = png(1)[..400].to_vec();
        let response = chat.post_picture(Uuid::new_v4(), "image/png", half).await;
        assert_problem(response, 422, "damaged_picture").await;
        // A name has no place here: it is not even asked for.
        for rest in ["/pictures", "/pictures?client_id=x", "/pictures?client_id=9b2e7c1e-0000-4000-8000-000000000000&name=..%2F.htaccess%00"] {
            let request = chat.request(Method::POST, rest).header("content-type", "image/png");
            assert_problem(request.body(png(1)).send().await.unwrap(), 400, "invalid_body").await;
        }
        assert_eq!(kept(app).await, 0);
    }

    async fn ac_73_too_many_bytes_and_too_many_pixels_are_refused(app: TestApp) {
        let chat = app.begin().await;
        let response = chat.post_picture(Uuid::new_v4(), "image/png", bomb()).await;
        assert_problem(response, 413, "too_large").await;
        let response = chat.post_picture(Uuid::new_v4(), "image/png", vec![0; 5 * 1024 * 1024 + 1]).await;
        assert_problem(response, 413, "too_large").await;
        // Without an announced length, fifty megabytes are not read to their end.
        let chunks = futures_util::stream::iter((0..50).map(|_| Ok::<_, std::io::Error>(vec![0_u8; 1024 * 1024])));
        let request = chat.request(Method::POST, &format!("/pictures?client_id={}", Uuid::new_v4()));
        let request = request.header("content-type", "image/png").body(reqwest::Body::wrap_stream(chunks));
        // The line may be closed before the answer is read.
        if let Ok(response) = request.send().await {
            assert_problem(response, 413, "too_large").await;
        }
        assert_eq!(kept(app).await, 0);
        // Looking costs: twenty a day, taken or not, of a chat.
        for _ in 0..18 {
            chat.post_picture(Uuid::new_v4(), "image/png", bomb()).await;
        }
        let mut last = 0;
        for _ in 0..3 {
            last = chat.post_picture(Uuid::new_v4(), "image/png", bomb()).await.status().as_u16();
        }
        assert_eq!(last, 429);
    }

    async fn ac_71_to_73_a_picture_is_nobody_elses(app: TestApp) {
        let chat = app.begin().await;
        let number = chat.hand_over("sistem hang").await;
        chat.send_picture(png(1)).await;
        let foreign = app.begin().await.hand_over("sistem hang").await;
        let siti = app.officer("siti", Role::Officer).await;
        let link = listed(&siti.ticket(&number).await).remove(0);
        let id = between(&format!("{link}|"), "/gambar/", "|").to_owned();
        assert_eq!(id.len(), 43, "256 bits");
        let missing = siti.get(&format!("/console/tiket/{number}/gambar/{}", "A".repeat(43))).await;
        let elsewhere = siti.get(&format!("/console/tiket/{foreign}/gambar/{id}")).await;
        let nowhere = siti.get(&format!("/console/tiket/TK-2026-000999-1/gambar/{id}")).await;
        assert_eq!((missing.status().as_u16(), elsewhere.status().as_u16(), nowhere.status().as_u16()), (404, 404, 404));
        let missing = missing.text().await.unwrap();
        assert_eq!(missing, elsewhere.text().await.unwrap());
        assert_eq!(missing, nowhere.text().await.unwrap());
        let auditor = app.officer("ali", Role::Auditor).await;
        assert_eq!(auditor.get(&link).await.status(), 403);
        assert!(listed(&auditor.ticket(&number).await).is_empty());
        assert_eq!(browser().get(app.url(&link)).send().await.unwrap().headers()["location"], "/console/masuk");
        // Another chat's token sends nothing here.
        let stranger = app.begin().await;
        let path = format!("/api/v1/conversations/{}/pictures?client_id={}", chat.id, Uuid::new_v4());
        let request = app.request(Method::POST, &path).header("content-type", "image/png").body(png(1));
        assert_problem(request.try_clone().unwrap().send().await.unwrap(), 401, "session_ended").await;
        assert_problem(request.bearer_auth(&stranger.token).send().await.unwrap(), 404, "not_found").await;
        // Merged, it is found where the ticket went.
        let boss = app.officer("boss", Role::Supervisor).await;
        let fields = [("channel", "kaunter"), ("name", "Aminah Yusof"), ("ptj", "JKR"), ("queue", "teknikal"),
            ("priority", "high"), ("subject", "Sistem"), ("description", "Sistem hang")];
        let page = boss.post("/console/baharu", &fields).await.text().await.unwrap();
        let counter = format!("TK-{}", &page[page.find("TK-").unwrap() + 3..][..13]);
        boss.does(&number, "gabung", &[("into", &counter)]).await;
        assert_eq!(listed(&boss.ticket(&counter).await).len(), 1);
        assert_eq!(boss.get(&link).await.status(), 404);
    }
}

#[test]
fn a_picture_of_the_tests_is_one() {
    assert_eq!(
        image::load_from_memory(&png(1)).unwrap().dimensions(),
        (320, 200)
    );
}
