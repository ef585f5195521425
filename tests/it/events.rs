//! Somebody follows a chat as events.

use std::time::{Duration, Instant};

use reqwest::Method;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::on_both_databases;
use crate::support::TestApp;
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
    let app = TestApp::on_sqlite().await;
    let chat = app.begin().await;
    let response = chat
        .request(Method::GET, "/events?after=2")
        .send()
        .await
        .unwrap();
    let mut stream = EventStream::new(response);
    // A request whose body is still on its way, and connections whose request the server has not read yet.
    let question = r#"{"text":"lupa kata laluan portal"}"#;
    let head = format!(
        "POST /api/v1/ask HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        question.len()
    );
    let address = app.app.http_addr;
    let mut half = TcpStream::connect(address).await.unwrap();
    half.write_all(format!("{head}{}", &question[..5]).as_bytes())
        .await
        .unwrap();
    let mut open = Vec::new();
    for _ in 0..20 {
        let mut connection = TcpStream::connect(address).await.unwrap();
        connection
            .write_all(format!("{head}{question}").as_bytes())
            .await
            .unwrap();
        let mut first = [0; 12];
        connection.read_exact(&mut first).await.unwrap();
        open.push(connection);
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    for connection in &mut open {
        connection
            .write_all(format!("{head}{question}").as_bytes())
            .await
            .unwrap();
    }
    let begun = Instant::now();
    let finish = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        half.write_all(&question.as_bytes()[5..]).await.unwrap();
        let mut said = String::new();
        half.read_to_string(&mut said).await.unwrap();
        assert!(said.starts_with("HTTP/1.1 200"), "{said}");
        for mut connection in open {
            let mut said = String::new();
            connection.read_to_string(&mut said).await.unwrap();
            assert_eq!(said.matches("\"outcome\":\"answer\"").count(), 2, "{said}");
        }
    };
    tokio::join!(app.app.stop(), finish);
    assert!(stream.next().await.is_none());
    assert!(begun.elapsed() < Duration::from_secs(5));
}
