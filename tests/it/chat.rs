//! Somebody chats over HTTP, as the widget does.

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::json;
use uuid::Uuid;

use crate::on_both_databases;
use crate::support::{Chat, assert_problem};

on_both_databases! {
    async fn a_person_is_welcomed_asks_and_is_answered(app: TestApp) {
        let chat = app.begin().await;
        assert_eq!(chat.opening[0]["kind"], "notice");
        assert!(chat.opening[0]["text"].as_str().unwrap().contains("90 hari"));
        assert_eq!(chat.opening[1]["choices"].as_array().unwrap().len(), 6);

        let replies = chat.say("mcm mana nk daftar portal ispeks").await;
        assert_eq!(replies.len(), 1);
        assert_eq!(replies[0]["kind"], "answer");
        assert_eq!(replies[0]["target"], "portal-daftar");
        assert_eq!(replies[0]["answer"]["steps"].as_array().unwrap().len(), 6);
        assert_eq!(replies[0]["seq"], 4);

        let all = chat.messages(0).await;
        let seqs: Vec<i64> = all.iter().map(|m| m["seq"].as_i64().unwrap()).collect();
        assert_eq!(seqs, [1, 2, 3, 4]);
        assert_eq!(all[2]["from"], "user");
        assert_eq!(all[2]["text"], "mcm mana nk daftar portal ispeks");
        assert_eq!(all[3], replies[0]);
        assert_eq!(chat.messages(3).await, replies);
    }

    async fn a_password_without_a_system_is_the_portals_and_the_other_reading_is_one_tap_away(app: TestApp) {
        let chat = app.begin().await;
        let replies = chat.say("saya lupa kata laluan").await;
        assert_eq!(replies[0]["target"], "portal-lupa-kata-laluan");
        let other = Chat::choice(&replies[0], "Maksud saya Sistem iSPEKS");
        let replies = chat.choose(&other).await;
        assert_eq!(replies[0]["target"], "sistem-hubungi");

        let replies = chat.say("lupa kata laluan portal").await;
        let labels = replies[0]["choices"].to_string();
        assert!(!labels.contains("Maksud saya"));
    }

    async fn pressing_a_choice_and_typing_its_label_or_number_do_the_same(app: TestApp) {
        let chat = app.begin().await;
        let value = Chat::choice(&chat.opening[1], "Daftar Portal iSPEKS");
        let by_label = chat.say("daftar PORTAL ispeks").await;
        assert_eq!(by_label[0]["target"], "portal-daftar");
        let by_value = chat.choose(&value).await;
        assert_eq!(by_value[0]["target"], by_label[0]["target"]);
        let pressed = by_value[0]["choices"][0]["label"].as_str().unwrap().to_owned();
        let by_number = chat.say("1").await;
        let heard = chat.messages(0).await;
        assert_eq!(heard[heard.len() - 2]["text"], pressed.as_str());
        assert!(by_number[0]["target"].is_string());
    }

    async fn a_choice_that_was_never_offered_has_expired(app: TestApp) {
        let chat = app.begin().await;
        for value in ["entry:nothing", "entry:portal-mystep", "", "lang:xx", "none"] {
            let message = json!({"client_id": Uuid::new_v4(), "choice": value});
            assert_problem(chat.post_message(&message).await, 409, "choice_expired").await;
        }
        assert_eq!(chat.messages(0).await.len(), 2);
    }

    async fn the_language_follows_the_person_and_the_switch(app: TestApp) {
        let chat = app.begin().await;
        let replies = chat.say("how do I register for the portal?").await;
        assert!(replies[0]["answer"]["body"].as_str().unwrap().starts_with("Staff register"));
        // A short turn says nothing of its language: the last one stays.
        let replies = chat.say("MySTEP").await;
        assert!(replies[0]["text"].as_str().unwrap().starts_with("MySTEP workers"));
        let replies = chat.choose("lang:ms").await;
        assert!(replies[0]["text"].as_str().unwrap().contains("90 hari"));
        assert_eq!(replies[1]["text"], "Baik, saya akan menjawab dalam bahasa Melayu.");
        let replies = chat.say("MySTEP").await;
        assert!(replies[0]["text"].as_str().unwrap().starts_with("Pekerja MySTEP"));
    }

    async fn the_same_message_twice_has_one_effect(app: TestApp) {
        let chat = app.begin().await;
        let message = json!({"client_id": Uuid::new_v4(), "text": "lupa kata laluan portal"});
        let at_once = join_all((0..8).map(|_| chat.post_message(&message))).await;
        let mut bodies = Vec::new();
        for response in at_once {
            assert_eq!(response.status(), 200);
            bodies.push(response.text().await.unwrap());
        }
        bodies.push(chat.post_message(&message).await.text().await.unwrap());
        assert!(bodies.windows(2).all(|pair| pair[0] == pair[1]));
        assert_eq!(chat.messages(0).await.len(), 4);
    }

    async fn messages_sent_at_once_all_arrive_and_each_is_answered(app: TestApp) {
        let chat = app.begin().await;
        let texts: Vec<String> = (0..40).map(|n| format!("soalan nombor {n} tentang portal")).collect();
        join_all(texts.iter().map(|text| chat.say(text))).await;
        let all = chat.messages(2).await;
        assert_eq!(all.len(), 80);
        for (number, message) in all.iter().enumerate() {
            assert_eq!(message["seq"], number as i64 + 3);
            assert_eq!(message["from"], if number % 2 == 0 { "user" } else { "bot" });
        }
    }

    async fn ac_54_somebody_elses_chat_and_no_chat_are_the_same(app: TestApp) {
        let mine = app.begin().await;
        let theirs = app.begin().await;
        let mut bodies = Vec::new();
        for id in [theirs.id.as_str(), "0190c1c4-0000-7000-8000-000000000000", "x", "%00"] {
            for (method, rest) in [
                (Method::GET, "/messages"),
                (Method::GET, "/events"),
                (Method::DELETE, ""),
            ] {
                let path = format!("/api/v1/conversations/{id}{rest}");
                let response = app.request(method, &path).bearer_auth(&mine.token).send().await.unwrap();
                assert_eq!(response.status(), 404);
                bodies.push(response.text().await.unwrap());
            }
        }
        assert!(bodies.windows(2).all(|pair| pair[0] == pair[1]));
        assert_eq!(theirs.messages(0).await.len(), 2);
    }

    async fn a_missing_wrong_or_expired_token_opens_nothing(app: TestApp) {
        let chat = app.begin().await;
        let path = format!("/api/v1/conversations/{}/messages", chat.id);
        assert_problem(app.get(&path).await, 401, "session_ended").await;
        for token in ["", "x", &chat.id, "\u{e9}"] {
            let request = app.request(Method::GET, &path);
            let request = request.header("authorization", format!("Bearer {token}").into_bytes());
            assert_problem(request.send().await.unwrap(), 401, "session_ended").await;
        }
        // Idle for a working day and the night after it.
        app.app.clock.advance(24 * 3_600_000 + 1);
        let late = chat.request(Method::GET, "/messages").send().await.unwrap();
        assert_problem(late, 401, "session_ended").await;
    }

    async fn an_ended_chat_opens_no_more(app: TestApp) {
        let chat = app.begin().await;
        let ended = chat.request(Method::DELETE, "").send().await.unwrap();
        assert_eq!(ended.status(), 204);
        let again = chat.request(Method::DELETE, "").send().await.unwrap();
        assert_problem(again, 401, "session_ended").await;
        let message = json!({"client_id": Uuid::new_v4(), "text": "hai"});
        assert_problem(chat.post_message(&message).await, 401, "session_ended").await;
    }

    async fn a_vote_counts_once_and_only_on_what_the_bot_said(app: TestApp) {
        let chat = app.begin().await;
        let replies = chat.say("lupa kata laluan portal").await;
        let seq = replies[0]["seq"].as_i64().unwrap();
        let vote = |body: serde_json::Value| chat.request(Method::POST, "/feedback").json(&body).send();
        for helpful in [true, false] {
            let response = vote(json!({"seq": seq, "helpful": helpful, "comment": "terima kasih"})).await.unwrap();
            assert_eq!(response.status(), 204);
        }
        let mine = vote(json!({"seq": seq - 1, "helpful": true})).await.unwrap();
        assert_problem(mine, 404, "not_found").await;
        let none = vote(json!({"seq": 99, "helpful": true})).await.unwrap();
        assert_problem(none, 404, "not_found").await;
    }

    async fn neither_or_both_of_text_and_choice_is_no_message(app: TestApp) {
        let chat = app.begin().await;
        let id = Uuid::new_v4();
        for body in [
            json!({"client_id": id}),
            json!({"client_id": id, "text": "a", "choice": "b"}),
            json!({"client_id": "not-a-uuid", "text": "a"}),
            json!({"client_id": id, "text": "a", "seq": 1}),
        ] {
            assert_problem(chat.post_message(&body).await, 400, "invalid_body").await;
        }
        let blank = json!({"client_id": id, "text": " "});
        assert_problem(chat.post_message(&blank).await, 422, "empty_text").await;
    }
}

on_both_databases! {
    async fn what_is_too_old_is_deleted_and_the_rest_stays(app: TestApp) {
        let old = app.begin().await;
        let replies = old.say("lupa kata laluan portal").await;
        let vote = json!({"seq": replies[0]["seq"], "helpful": true});
        old.request(Method::POST, "/feedback").json(&vote).send().await.unwrap();
        app.app.clock.advance(89 * 24 * 3_600_000);
        let fresh = app.begin().await;
        assert_eq!(app.app.retention.purge().await.unwrap(), 0);
        app.app.clock.advance(2 * 24 * 3_600_000);
        assert_eq!(app.app.retention.purge().await.unwrap(), 1);
        let dump = app.database.dump(app.folder()).await;
        if matches!(app.database, crate::support::database::Database::Postgres(_)) {
            assert!(!dump.contains(&old.id) && dump.contains(&fresh.id));
        }
    }
}

#[tokio::test]
async fn a_chat_outlives_the_server() {
    let app = crate::support::TestApp::on_sqlite().await;
    let chat = app.begin().await;
    chat.say("lupa kata laluan portal").await;
    let (id, token, before) = (chat.id.clone(), chat.token.clone(), chat.messages(0).await);
    let app = app.restart().await;
    let path = format!("/api/v1/conversations/{id}/messages");
    let response = app
        .request(Method::GET, &path)
        .bearer_auth(&token)
        .send()
        .await
        .unwrap();
    let body: serde_json::Value = response.json().await.unwrap();
    assert_eq!(body["messages"], json!(before));
    app.stop().await;
}
