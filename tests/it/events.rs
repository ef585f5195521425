//! Somebody follows a chat as events.

use std::time::Duration;

use reqwest::Method;

use crate::on_both_databases;
use crate::support::stream::EventStream;

on_both_databases! {
    async fn a_stream_resumes_with_nothing_lost_and_nothing_twice(app: TestApp) {
        let chat = app.begin().await;
        let open = || chat.request(Method::GET, "/events").send();
        let mut stream = EventStream::new(open().await.unwrap());
        assert_eq!(stream.message().await["seq"], 1);
        assert_eq!(stream.message().await["seq"], 2);
        chat.say("lupa kata laluan portal").await;
        let heard = stream.message().await;
        assert_eq!((heard["seq"].as_i64(), heard["from"].as_str()), (Some(3), Some("user")));
        assert!(heard["client_id"].is_string());
        assert_eq!(stream.message().await["seq"], 4);
        drop(stream);

        chat.say("slip gaji").await;
        let resumed = chat.request(Method::GET, "/events").header("last-event-id", "4");
        let mut stream = EventStream::new(resumed.send().await.unwrap());
        for seq in 5..=6 {
            assert_eq!(stream.message().await["seq"], seq);
        }
        let resumed = chat.request(Method::GET, "/events?after=5").send().await.unwrap();
        assert_eq!(EventStream::new(resumed).message().await["seq"], 6);
    }

    async fn the_end_of_a_chat_ends_its_streams(app: TestApp) {
        let chat = app.begin().await;
        let response = chat.request(Method::GET, "/events?after=2").send().await.unwrap();
        let mut stream = EventStream::new(response);
        chat.request(Method::DELETE, "").send().await.unwrap();
        let event = stream.next().await.unwrap();
        assert_eq!((event.name.as_str(), event.id), ("ended", None));
        assert!(stream.next().await.is_none());
        let resumed = chat.request(Method::GET, "/events").send().await.unwrap();
        assert_eq!(resumed.status(), 401);
    }
}

#[tokio::test]
async fn a_stop_ends_streams_and_finishes_what_was_accepted() {
    let app = crate::support::TestApp::on_sqlite().await;
    let chat = app.begin().await;
    let response = chat
        .request(Method::GET, "/events?after=2")
        .send()
        .await
        .unwrap();
    let mut stream = EventStream::new(response);
    let (said, ()) = tokio::join!(chat.say("lupa kata laluan portal"), async {
        tokio::time::sleep(Duration::from_millis(5)).await;
    });
    assert_eq!(said.len(), 1);
    while stream.message().await["seq"] != 4 {}
    let begun = std::time::Instant::now();
    app.app.stop().await;
    assert!(stream.next().await.is_none());
    assert!(begun.elapsed() < Duration::from_secs(5));
}
