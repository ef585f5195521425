//! Screenshots that people send on Telegram: fetched from the one host, by Telegram's own names, once.

use image::GenericImageView;
use serde_json::{Value, json};
use tanya::agent::role::Role;
use tanya::ticket::TicketNumber;

use crate::on_telegram;
use crate::pictures::listed;
use crate::support::bot_api::Fault;
use crate::support::bot_api::files::Served;
use crate::support::bot_api::updates::{private_document, private_photo, private_text};
use crate::support::picture::{contains, jpeg, png};

const AMINAH: i64 = 7_440_001;

fn text(message: &Value) -> &str {
    message["text"].as_str().unwrap()
}

on_telegram! {
    async fn a_screenshot_and_its_caption_become_a_ticket(app: TestApp, telegram: BotApi) {
        telegram.keep_file("f1", "photos/file_1.jpg", Served::Bytes(jpeg(1)));
        for (said, count) in [("nak cakap dengan pegawai", 2), ("Portal iSPEKS", 3), ("JKR Machang", 4)] {
            telegram.give(private_text(AMINAH, said));
            telegram.until_sent(AMINAH, count).await;
        }
        telegram.give(private_photo(AMINAH, "f1", Some("keluar ralat ini selepas log masuk")));
        let sent = telegram.until_sent(AMINAH, 6).await;
        assert!(text(&sent[4]).contains("akan disertakan dalam tiket"), "{}", text(&sent[4]));
        let number = TicketNumber::find(text(&sent[5])).unwrap_or_else(|| panic!("{}", text(&sent[5]))).to_string();
        assert_eq!(telegram.fetched(), ["photos/file_1.jpg"]);
        let siti = app.officer("siti", Role::It).await;
        let page = siti.ticket(&number).await;
        assert!(page.contains("keluar ralat ini selepas log masuk"), "{page}");
        let links = listed(&page);
        assert_eq!(links.len(), 1);
        let file = siti.get(&links[0]).await;
        assert_eq!(file.headers()["content-disposition"], format!("attachment; filename=\"{number}-1.jpg\"").as_str());
        let bytes = file.bytes().await.unwrap();
        assert_eq!(image::load_from_memory(&bytes).unwrap().dimensions(), (320, 200));

        // A file that is said to be an image is looked at too; what hangs behind it is gone.
        let tail = b"<script>alert(1)</script>";
        telegram.keep_file("f2", "documents/file_2.png", Served::Bytes([png(2).as_slice(), tail].concat()));
        telegram.give(private_document(AMINAH, "f2", "image/png"));
        let sent = telegram.until_sent(AMINAH, 7).await;
        assert!(text(&sent[6]).contains(&format!("ditambah pada tiket {number}")), "{}", text(&sent[6]));
        let links = listed(&siti.ticket(&number).await);
        let bytes = siti.get(&links[1]).await.bytes().await.unwrap();
        assert!(!contains(&bytes, tail));
    }

    async fn an_album_is_kept_whole_and_answered_once(app: TestApp, telegram: BotApi) {
        telegram.give(private_text(AMINAH, "/start"));
        telegram.until_sent(AMINAH, 2).await;
        for number in 0..3 {
            telegram.keep_file(&format!("a{number}"), &format!("photos/file_{number}.jpg"), Served::Bytes(jpeg(number)));
            let mut update = private_photo(AMINAH, &format!("a{number}"), None);
            update["message"]["media_group_id"] = json!("13579");
            telegram.give(update);
        }
        telegram.give(private_text(AMINAH, "terima kasih"));
        let sent = telegram.until_sent(AMINAH, 4).await;
        assert!(text(&sent[2]).contains("tidak dapat membaca gambar"), "{}", text(&sent[2]));
        assert!(text(&sent[3]).to_lowercase().contains("sama"), "{}", text(&sent[3]));
        assert_eq!(app.database.count(app.folder(), "SELECT COUNT(*) FROM picture").await, 3);
    }

    async fn ac_74_no_path_but_telegrams_own_is_fetched_and_nothing_is_followed(app: TestApp, telegram: BotApi) {
        telegram.give(private_text(AMINAH, "/start"));
        telegram.until_sent(AMINAH, 2).await;
        // Whoever listens here hears nothing.
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let elsewhere = format!("http://{}/x.png", listener.local_addr().unwrap());
        let paths = ["../../etc/passwd", "photos/../../bot/getMe", "http://169.254.169.254/latest/meta-data/", elsewhere.as_str(),
            "/var/lib/telegram-bot-api/photos/file_0.jpg", "photos/file_0.jpg?x=1", "//evil.example/x.png"];
        for (count, path) in (3..).zip(paths) {
            let id = format!("bad{count}");
            telegram.keep_file(&id, path, Served::Bytes(png(1)));
            telegram.give(private_photo(AMINAH, &id, None));
            let sent = telegram.until_sent(AMINAH, count).await;
            assert!(text(&sent[count - 1]).contains("tidak dapat diterima"), "{path}: {}", text(&sent[count - 1]));
        }
        assert_eq!(telegram.fetched(), Vec::<String>::new());
        // What leads elsewhere is not followed.
        telegram.keep_file("leads", "photos/file_9.jpg", Served::Redirect(elsewhere));
        telegram.give(private_photo(AMINAH, "leads", None));
        let sent = telegram.until_sent(AMINAH, 10).await;
        assert!(text(&sent[9]).contains("tidak dapat diterima"), "{}", text(&sent[9]));
        assert_eq!(telegram.fetched(), ["photos/file_9.jpg"]);
        let heard = tokio::time::timeout(std::time::Duration::from_millis(200), listener.accept());
        assert!(heard.await.is_err());
        assert_eq!(app.database.count(app.folder(), "SELECT COUNT(*) FROM picture").await, 0);
    }

    async fn ac_73_a_picture_that_is_too_large_is_not_fetched_and_one_that_lies_is_cut_off(app: TestApp, telegram: BotApi) {
        telegram.give(private_text(AMINAH, "/start"));
        telegram.until_sent(AMINAH, 2).await;
        let large = vec![0_u8; 6 * 1024 * 1024];
        telegram.keep_file("large", "documents/file_1.png", Served::Bytes(large.clone()));
        telegram.give(private_document(AMINAH, "large", "image/png"));
        let sent = telegram.until_sent(AMINAH, 3).await;
        assert!(text(&sent[2]).contains("terlalu besar"), "{}", text(&sent[2]));
        assert_eq!(telegram.fetched(), Vec::<String>::new());
        telegram.keep_file_of("lies", "documents/file_2.png", Some(1_000), Served::Bytes(large));
        telegram.give(private_document(AMINAH, "lies", "image/png"));
        let sent = telegram.until_sent(AMINAH, 4).await;
        assert!(text(&sent[3]).contains("terlalu besar"), "{}", text(&sent[3]));
        assert_eq!(app.database.count(app.folder(), "SELECT COUNT(*) FROM picture").await, 0);
    }

    async fn ac_72_what_is_no_picture_is_refused_with_a_word(app: TestApp, telegram: BotApi) {
        telegram.give(private_text(AMINAH, "/start"));
        telegram.until_sent(AMINAH, 2).await;
        telegram.keep_file("svg", "documents/file_1.png", Served::Bytes(b"<svg onload=\"alert(1)\"/>".to_vec()));
        telegram.give(private_document(AMINAH, "svg", "image/png"));
        telegram.give(private_document(AMINAH, "other", "image/svg+xml"));
        let sent = telegram.until_sent(AMINAH, 4).await;
        assert!(sent[2..].iter().all(|message| text(message).contains("bukan gambar JPEG atau PNG")), "{sent:#?}");
        // What is no image at all is not even asked for.
        telegram.give(private_document(AMINAH, "pdf", "application/pdf"));
        let sent = telegram.until_sent(AMINAH, 5).await;
        assert!(text(&sent[4]).contains("hanya dapat membaca teks"), "{}", text(&sent[4]));
        assert_eq!(telegram.attempts("getFile"), 1);
        assert_eq!(app.database.count(app.folder(), "SELECT COUNT(*) FROM picture").await, 0);
    }

    async fn a_picture_that_telegram_cannot_give_now_is_asked_for_again(app: TestApp, telegram: BotApi) {
        telegram.give(private_text(AMINAH, "/start"));
        telegram.until_sent(AMINAH, 2).await;
        telegram.keep_file("f1", "photos/file_1.jpg", Served::Bytes(jpeg(1)));
        telegram.fail("getFile", Fault::TooMany { retry_after: 1 }, 1);
        telegram.fail("getFile", Fault::Cut, 1);
        telegram.give(private_photo(AMINAH, "f1", None));
        let sent = telegram.until_sent(AMINAH, 3).await;
        assert!(text(&sent[2]).contains("tidak dapat membaca gambar"), "{}", text(&sent[2]));
        assert_eq!(telegram.attempts("getFile"), 3);
        assert_eq!(telegram.fetched().len(), 1);
        assert_eq!(app.database.count(app.folder(), "SELECT COUNT(*) FROM picture").await, 1);
    }
}
