//! One connection: the talk of SMTP (RFC 5321) as far as a sender needs it. It is strict where real servers differ,
//! so that what passes here passes there: no bare line feeds, no long lines, no 8-bit text that was not announced.

use std::convert::Infallible;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::{Fault, MailServer, ReceivedMail, Verb};

/// The longest line of a command and of a message, each with its line end.
const COMMAND_LINE: usize = 512;
const TEXT_LINE: usize = 1000;

/// The connection has ended, or is to end.
pub(super) struct Closed;

impl From<std::io::Error> for Closed {
    fn from(_: std::io::Error) -> Self {
        Self
    }
}

pub(super) struct Session {
    server: MailServer,
    stream: BufReader<TcpStream>,
    greeted: bool,
    signed_in: bool,
    mail: Option<Envelope>,
}

/// What is known of a mail before it comes.
struct Envelope {
    from: String,
    to: Vec<String>,
    eight_bit: bool,
}

impl Session {
    pub(super) fn new(server: MailServer, stream: TcpStream) -> Self {
        Self {
            server,
            stream: BufReader::new(stream),
            greeted: false,
            signed_in: false,
            mail: None,
        }
    }

    /// Talks until one side closes.
    pub(super) async fn run(mut self) {
        // Either side may close at any time.
        let Err(Closed) = self.talk().await;
    }

    async fn talk(&mut self) -> Result<Infallible, Closed> {
        let greeting = "220 mail.example.com ESMTP";
        if !self.answer(Verb::Connect, greeting).await? {
            return Err(Closed);
        }
        loop {
            let line = self.line().await?;
            if line.len() > COMMAND_LINE {
                self.say("500 5.5.6 Line too long").await?;
                continue;
            }
            let Some(line) = command(&line) else {
                self.say("500 5.5.2 Not a line of ASCII").await?;
                continue;
            };
            let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
            self.obey(&verb.to_ascii_uppercase(), rest).await?;
        }
    }

    async fn obey(&mut self, verb: &str, rest: &str) -> Result<(), Closed> {
        match verb {
            "EHLO" | "HELO" => self.hello(verb).await,
            "NOOP" => self.say("250 2.0.0 Here").await,
            "RSET" => {
                self.mail = None;
                self.say("250 2.0.0 Forgotten").await
            }
            "QUIT" => {
                self.answer(Verb::Quit, "221 2.0.0 Bye").await?;
                Err(Closed)
            }
            "AUTH" | "MAIL" | "RCPT" | "DATA" if !self.greeted => {
                self.say("503 5.5.1 EHLO first").await
            }
            "AUTH" => self.log_in(rest).await,
            "MAIL" if !self.signed_in && !self.server.lets_in(None) => {
                self.say("530 5.7.0 Sign in first").await
            }
            "MAIL" => self.begin(rest).await,
            "RCPT" => self.address(rest).await,
            "DATA" => self.take().await,
            _ => self.say("500 5.5.1 What?").await,
        }
    }

    async fn hello(&mut self, verb: &str) -> Result<(), Closed> {
        let reply = match verb {
            "EHLO" => concat!(
                "250-mail.example.com\r\n",
                "250-PIPELINING\r\n",
                "250-8BITMIME\r\n",
                "250-ENHANCEDSTATUSCODES\r\n",
                "250 AUTH PLAIN LOGIN"
            ),
            _ => "250 mail.example.com",
        };
        self.mail = None;
        self.greeted = self.answer(Verb::Ehlo, reply).await?;
        Ok(())
    }

    /// Lets everyone in who keeps to the form, unless only some are let in: those it knows by PLAIN.
    async fn log_in(&mut self, rest: &str) -> Result<(), Closed> {
        let (mechanism, initial) = rest.split_once(' ').unwrap_or((rest, ""));
        let challenges: &[&str] = match (mechanism, initial) {
            ("PLAIN", "") => &["334 "],
            ("LOGIN", "") => &["334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6"],
            ("LOGIN", _) => &["334 UGFzc3dvcmQ6"],
            ("PLAIN", _) => &[],
            _ => return self.say("504 5.5.4 PLAIN or LOGIN").await,
        };
        for challenge in challenges {
            self.say(challenge).await?;
            self.line().await?;
        }
        let password = (mechanism == "PLAIN").then(|| password_in(initial));
        if !self.server.lets_in(password.flatten().as_deref()) {
            return self.say(permanent(Verb::Auth)).await;
        }
        self.signed_in = self.answer(Verb::Auth, "235 2.7.0 Welcome").await?;
        Ok(())
    }

    async fn begin(&mut self, rest: &str) -> Result<(), Closed> {
        if self.mail.is_some() {
            return self.say("503 5.5.1 One mail at a time").await;
        }
        let Some((from, parameters)) = path(rest, "FROM:") else {
            return self.say("501 5.5.4 MAIL FROM:<address>").await;
        };
        let mut eight_bit = false;
        for parameter in parameters.split_ascii_whitespace() {
            match parameter.to_ascii_uppercase().as_str() {
                "BODY=8BITMIME" => eight_bit = true,
                "BODY=7BIT" => {}
                _ => return self.say("555 5.5.4 Not offered").await,
            }
        }
        let mail = Envelope {
            from: from.to_owned(),
            to: Vec::new(),
            eight_bit,
        };
        if self.answer(Verb::Mail, "250 2.1.0 Go on").await? {
            self.mail = Some(mail);
        }
        Ok(())
    }

    async fn address(&mut self, rest: &str) -> Result<(), Closed> {
        if self.mail.is_none() {
            return self.say("503 5.5.1 MAIL first").await;
        }
        let Some((to, "")) = path(rest, "TO:").filter(|(to, _)| to.contains('@')) else {
            return self.say("501 5.5.4 RCPT TO:<address>").await;
        };
        if self.answer(Verb::Rcpt, "250 2.1.5 Known here").await? {
            let mail = self.mail.iter_mut();
            mail.for_each(|mail| mail.to.push(to.to_owned()));
        }
        Ok(())
    }

    async fn take(&mut self) -> Result<(), Closed> {
        if self.mail.as_ref().is_none_or(|mail| mail.to.is_empty()) {
            return self.say("503 5.5.1 RCPT first").await;
        }
        if !self.answer(Verb::Data, "354 End with a dot").await? {
            return Ok(());
        }
        let Some(envelope) = self.mail.take() else {
            return Ok(());
        };
        let (raw, wrong) = self.message(envelope.eight_bit).await?;
        if let Some(wrong) = wrong {
            return self.say(wrong).await;
        }
        let fault = self.server.next_fault(Verb::Body);
        if let None | Some(Fault::AcceptedThenDropped | Fault::Slow(_)) = fault {
            self.server.keep(ReceivedMail {
                from: envelope.from,
                to: envelope.to,
                raw: String::from_utf8_lossy(&raw).into_owned(),
            });
        }
        self.reply(Verb::Body, fault, "250 2.6.0 Kept").await?;
        Ok(())
    }

    /// A message up to the line with the dot, dots unstuffed, and what is wrong with it.
    async fn message(
        &mut self,
        eight_bit: bool,
    ) -> Result<(Vec<u8>, Option<&'static str>), Closed> {
        let (mut raw, mut wrong, mut in_header) = (Vec::new(), None, true);
        loop {
            let line = self.line().await?;
            if line == b".\r\n" {
                return Ok((raw, wrong));
            }
            let line = line.strip_prefix(b".").unwrap_or(&line);
            in_header &= line != b"\r\n";
            wrong = wrong.or_else(|| wrong_with(line, eight_bit && !in_header));
            raw.extend_from_slice(line);
        }
    }

    /// Answers a command as planned; says whether the command is done.
    async fn answer(&mut self, at: Verb, reply: &str) -> Result<bool, Closed> {
        let fault = self.server.next_fault(at);
        self.reply(at, fault, reply).await
    }

    async fn reply(&mut self, at: Verb, fault: Option<Fault>, reply: &str) -> Result<bool, Closed> {
        match fault {
            None => self.say(reply).await.map(|()| true),
            Some(Fault::Slow(time)) => {
                tokio::time::sleep(time).await;
                self.say(reply).await.map(|()| true)
            }
            Some(Fault::Temporary) => self.say(temporary(at)).await.map(|()| false),
            Some(Fault::Permanent) => self.say(permanent(at)).await.map(|()| false),
            Some(Fault::Garbage) => {
                let garbage = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n";
                self.say(garbage).await.map(|()| false)
            }
            Some(Fault::Hang) => {
                while self.stream.read(&mut [0; 1024]).await? > 0 {}
                Err(Closed)
            }
            Some(Fault::Drop | Fault::AcceptedThenDropped) => Err(Closed),
        }
    }

    async fn say(&mut self, reply: &str) -> Result<(), Closed> {
        let reply = format!("{reply}\r\n");
        Ok(self.stream.write_all(reply.as_bytes()).await?)
    }

    /// The next line with its end.
    async fn line(&mut self) -> Result<Vec<u8>, Closed> {
        let mut line = Vec::new();
        self.stream.read_until(b'\n', &mut line).await?;
        if line.ends_with(b"\n") {
            Ok(line)
        } else {
            Err(Closed)
        }
    }
}

/// The password of PLAIN (RFC 4616): what comes after the second zero.
fn password_in(initial: &str) -> Option<String> {
    let said = String::from_utf8(STANDARD.decode(initial).ok()?).ok()?;
    said.split('\0').nth(2).map(str::to_owned)
}

/// A command without its line end.
fn command(line: &[u8]) -> Option<&str> {
    let line = str::from_utf8(line).ok()?.strip_suffix("\r\n")?;
    line.is_ascii().then_some(line)
}

/// The address between the brackets, and the parameters behind them.
fn path<'a>(rest: &'a str, keyword: &str) -> Option<(&'a str, &'a str)> {
    let (said, rest) = rest.split_at_checked(keyword.len())?;
    let (address, parameters) = rest.strip_prefix('<')?.split_once('>')?;
    said.eq_ignore_ascii_case(keyword)
        .then_some((address, parameters.trim()))
}

fn wrong_with(line: &[u8], eight_bit: bool) -> Option<&'static str> {
    let Some(text) = line.strip_suffix(b"\r\n") else {
        return Some("554 5.6.0 A line feed without a carriage return");
    };
    if text.contains(&b'\r') {
        return Some("554 5.6.0 A carriage return without a line feed");
    }
    if line.len() > TEXT_LINE {
        return Some("554 5.6.0 A line of more than 998 bytes");
    }
    if !eight_bit && !text.is_ascii() {
        return Some("554 5.6.7 8-bit text where none was announced");
    }
    None
}

fn temporary(at: Verb) -> &'static str {
    match at {
        Verb::Connect => "421 4.3.2 Come back later",
        Verb::Auth => "454 4.7.0 Nobody is in to check that",
        Verb::Ehlo | Verb::Mail | Verb::Rcpt | Verb::Data | Verb::Body | Verb::Quit => {
            "451 4.3.0 Try again later"
        }
    }
}

fn permanent(at: Verb) -> &'static str {
    match at {
        Verb::Connect => "554 5.3.2 No mail here",
        Verb::Auth => "535 5.7.8 Wrong user or password",
        Verb::Rcpt => "550 5.1.1 Nobody of that name",
        Verb::Ehlo | Verb::Mail | Verb::Data | Verb::Body | Verb::Quit => "550 5.7.1 Refused",
    }
}
