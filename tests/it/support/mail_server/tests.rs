//! The server itself, held against the sender that the program uses.

use std::time::Duration;

use lettre::message::header::ContentType;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::Credentials;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{Fault, MailServer, ReceivedMail, Verb};

type Transport = AsyncSmtpTransport<Tokio1Executor>;

fn transport(server: &MailServer) -> Transport {
    let credentials = Credentials::new("tanya".to_owned(), "rahsia".to_owned());
    let builder = Transport::from_url(&server.url()).unwrap();
    builder.credentials(credentials).build()
}

fn mail(subject: &str, text: &str) -> Message {
    Message::builder()
        .from("Tanya <tanya@example.com>".parse().unwrap())
        .to("aminah@example.com".parse().unwrap())
        .to("bakar@example.com".parse().unwrap())
        .subject(subject)
        .message_id(Some("<1@example.com>".to_owned()))
        .header(ContentType::TEXT_PLAIN)
        .body(text.to_owned())
        .unwrap()
}

/// What the sender is told.
async fn told(server: &MailServer) -> Result<(), Error> {
    let sent = transport(server).send(mail("Ujian", "Salam")).await;
    sent.map(|_| ())
}

/// Whether the sender is told nothing, at least for a while.
async fn untold(server: &MailServer) -> bool {
    let told = tokio::time::timeout(Duration::from_millis(200), told(server));
    told.await.is_err()
}

fn received(raw: &str) -> ReceivedMail {
    ReceivedMail {
        from: String::new(),
        to: Vec::new(),
        raw: raw.replace('\n', "\r\n"),
    }
}

/// Sends these lines at once and returns every answer.
async fn typed(server: &MailServer, lines: &[&[u8]]) -> String {
    let address = server.url().replace("smtp://", "");
    let mut stream = TcpStream::connect(address).await.unwrap();
    for line in lines {
        stream.write_all(line).await.unwrap();
    }
    stream.shutdown().await.unwrap();
    let mut answers = String::new();
    stream.read_to_string(&mut answers).await.unwrap();
    answers
}

#[tokio::test]
async fn what_was_sent_arrives() {
    let server = MailServer::start().await;
    let transport = transport(&server);
    let long = "sangat panjang ".repeat(200);
    let texts = [
        "Kod anda: 1234 5678.\n.\n..\n.titik\n\nhttps://example.com/p?a=1, http://example.org.\n"
            .to_owned(),
        format!("验证码 — kata laluan\n.\n{long}\nதமிழ்\n"),
        format!("{long}\n"),
        "验证码 ".repeat(300),
    ];
    for text in &texts {
        let subject = "Pengesahan — 验证码 தமிழ் dan lagi, sehingga perlu dilipat dua kali";
        transport.send(mail(subject, text)).await.unwrap();
        let mails = server.mails();
        let mail = mails.last().unwrap();
        assert_eq!(mail.text().trim_end(), text.trim_end());
        assert_eq!(mail.header("subject").as_deref(), Some(subject));
        assert_eq!(mail.headers_named("Subject"), 1);
        assert_eq!(mail.headers_named("Bcc"), 0);
        assert_eq!(mail.message_id(), "<1@example.com>");
        assert_eq!(mail.from, "tanya@example.com");
        assert_eq!(mail.to, ["aminah@example.com", "bakar@example.com"]);
    }
    let first = &server.mails()[0];
    assert_eq!(first.code().as_deref(), Some("12345678"));
    let links = ["https://example.com/p?a=1", "http://example.org"];
    assert_eq!(first.links(), links);
}

#[test]
fn a_code_is_the_only_group_of_its_kind() {
    let code = |text: &str| received(&format!("From: a\n\n{text}\n")).code();
    assert_eq!(code("(1234 5678)").as_deref(), Some("12345678"));
    assert_eq!(code("1234 5678\n1234 5679"), None);
    assert_eq!(code("1234 5678 9012"), None);
    assert_eq!(code("03-8888 8000, 1234\n5678, 12345 6789"), None);
}

#[test]
fn headers_are_unfolded_and_decoded() {
    let mail = received(
        "Subject: =?UTF-8?Q?Sel=C3?=\n =?utf-8?q?=A9sai_?= a =?utf-8?B?4oCU?= =?x\nTo: a,\n\tb\n\n",
    );
    assert_eq!(mail.header("Subject").unwrap(), "Selésai  a — =?x");
    assert_eq!(mail.header("To").unwrap(), "a,\tb");
    assert_eq!(mail.header("Cc"), None);
}

#[test]
fn bodies_are_decoded() {
    let body = |encoding: &str, body: &str| {
        let kind = "Content-Type: text/plain; charset=utf-8";
        received(&format!(
            "{kind}\nContent-Transfer-Encoding: {encoding}\n\n{body}"
        ))
        .text()
    };
    assert_eq!(
        body("quoted-printable", "a=C3=\n=A9 \n=3D=20\n"),
        "aé\n= \n"
    );
    assert_eq!(body("base64", "w6kKY\nQ0KYg==\n"), "é\na\nb");
    assert_eq!(body("8bit", "é\n"), "é\n");
}

#[tokio::test]
async fn each_fault_is_what_the_sender_meets() {
    let server = MailServer::start().await;
    for at in [
        Verb::Connect,
        Verb::Ehlo,
        Verb::Auth,
        Verb::Mail,
        Verb::Rcpt,
        Verb::Data,
        Verb::Body,
    ] {
        server.fault_times(at, Fault::Temporary, 1);
        server.fault_times(at, Fault::Permanent, 1);
        server.fault_times(at, Fault::Drop, 1);
        server.fault_times(at, Fault::Garbage, 1);
        server.fault(at, Fault::Hang);
        assert!(told(&server).await.unwrap_err().is_transient());
        assert!(told(&server).await.unwrap_err().is_permanent());
        assert!(told(&server).await.unwrap_err().is_response());
        assert!(told(&server).await.unwrap_err().is_response());
        assert!(untold(&server).await, "{at:?}");
        server.clear();
    }
    assert!(server.mails().is_empty());
    server.fault(Verb::Quit, Fault::Drop);
    told(&server).await.unwrap();
    assert_eq!(server.mails().len(), 1);
}

#[tokio::test]
async fn a_mail_can_be_kept_though_the_sender_never_learns() {
    let server = MailServer::start().await;
    server.fault_times(Verb::Body, Fault::AcceptedThenDropped, 1);
    server.fault_times(Verb::Body, Fault::Slow(Duration::from_secs(1)), 1);
    assert!(told(&server).await.unwrap_err().is_response());
    assert_eq!(server.mails().len(), 1);
    assert!(untold(&server).await);
    assert_eq!(server.wait_for(2).await.len(), 2);
}

#[tokio::test]
async fn a_server_that_is_away_comes_back_on_its_port() {
    let server = MailServer::start().await;
    let transport = transport(&server);
    transport.send(mail("Ujian", "Satu")).await.unwrap();
    server.pause().await;
    let refused = transport.send(mail("Ujian", "Dua")).await.unwrap_err();
    assert!(format!("{refused:?}").contains("ConnectionRefused"));
    server.resume().await;
    transport.send(mail("Ujian", "Tiga")).await.unwrap();
    assert_eq!(server.mails().len(), 2);
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn what_a_strict_server_refuses_is_refused() {
    let server = MailServer::start().await;
    let begin: &[u8] = b"EHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<a@b>\r\nDATA\r\n";
    let long = [b"\r\n".as_slice(), &[b'x'; 999], b"\r\n"].concat();
    for message in [
        b"\r\na\nb\r\n".as_slice(),
        b"\r\na\rb\r\n",
        b"\r\n\xc3\xa9\r\n",
        &long,
    ] {
        let answers = typed(&server, &[begin, message, b".\r\nNOOP\r\n"]).await;
        assert!(answers.contains("354 "), "{answers}");
        assert!(answers.contains("554 5.6."), "{answers}");
    }
    let wordy = [[b'x'; 600].as_slice(), b"\r\n"].concat();
    let lines: &[(&[u8], &str)] = &[
        (b"MAIL FROM:<a@b>\r\n", "503 "),
        (b"EHLO a\r\nRCPT TO:<a@b>\r\n", "503 "),
        (b"EHLO a\r\nMAIL FROM:<a@b>\r\nDATA\r\n", "503 "),
        (b"EHLO a\r\nMAIL FROM:<a@b> SMTPUTF8\r\n", "555 "),
        (b"EHLO a\r\nMAIL FROM:<\xc3\xa9@b>\r\n", "500 "),
        (b"EHLO a\r\nMAIL FROM: a@b\r\n", "501 "),
        (b"EHLO a\r\nSTARTTLS\r\n", "500 "),
        (&wordy, "500 5.5.6"),
    ];
    for (lines, answer) in lines {
        let answers = typed(&server, &[lines]).await;
        let last = answers.lines().last().unwrap();
        assert!(last.starts_with(answer), "{answers}");
    }
    assert!(server.mails().is_empty());
    let login: &[u8] = b"EHLO a\r\nAUTH LOGIN\r\nYQ==\r\nYQ==\r\nRSET\r\n";
    let answers = typed(&server, &[login, &begin[8..], b"\r\n.\r\nQUIT\r\n"]).await;
    assert!(
        answers.contains("235 ") && answers.ends_with("221 2.0.0 Bye\r\n"),
        "{answers}"
    );
    assert_eq!(server.wait_for(1).await[0].from, "");
}
