//! A mail as it arrived, and what its reader sees of it. Reads text/plain only.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

/// A mail that was accepted.
#[derive(Clone, Debug)]
pub struct ReceivedMail {
    /// Of the envelope, as are the recipients; empty for mail that must not bounce.
    pub from: String,
    pub to: Vec<String>,
    /// Header and body as they came, with their line ends, dots unstuffed.
    pub raw: String,
}

impl ReceivedMail {
    /// The value of the first header of this name, unfolded and decoded.
    pub fn header(&self, name: &str) -> Option<String> {
        let mut values = self.values(name);
        values.next().map(|value| decode_words(&value))
    }

    /// How many headers have this name.
    pub fn headers_named(&self, name: &str) -> usize {
        self.values(name).count()
    }

    /// The body as its reader sees it, with plain line feeds.
    pub fn text(&self) -> String {
        let kind = self.header("Content-Type");
        let kind = kind.unwrap_or_else(|| "text/plain".to_owned());
        let kind = kind.to_ascii_lowercase();
        assert!(kind.starts_with("text/plain"), "not plain text: {kind}");
        let (_, body) = self.parts();
        let encoding = self.header("Content-Transfer-Encoding");
        let encoding = encoding.unwrap_or_else(|| "7bit".to_owned());
        let text = match encoding.to_ascii_lowercase().as_str() {
            "7bit" | "8bit" => body.to_owned(),
            "quoted-printable" => utf8(quoted_printable(body)),
            "base64" => {
                let body: String = body.split_ascii_whitespace().collect();
                utf8(BASE64_STANDARD.decode(body).unwrap())
            }
            other => panic!("an encoding that nobody reads: {other}"),
        };
        let announced = kind.contains("charset=utf-8") || kind.contains("charset=\"utf-8\"");
        assert!(announced || text.is_ascii(), "UTF-8, but {kind}: {text}");
        text.replace("\r\n", "\n")
    }

    /// With its angle brackets.
    pub fn message_id(&self) -> String {
        self.header("Message-ID").expect("a Message-ID")
    }

    /// The digits of the only group "dddd dddd" in the text.
    pub fn code(&self) -> Option<String> {
        let text = self.text();
        let mut codes = text.lines().flat_map(codes_in);
        let code = codes.next()?;
        codes.next().is_none().then_some(code)
    }

    /// The addresses of the web in the text, in order.
    pub fn links(&self) -> Vec<String> {
        let text = self.text();
        let words = text.split(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"'));
        let links = words.filter_map(|word| {
            let link = &word[word.find("https://").or_else(|| word.find("http://"))?..];
            Some(link.trim_end_matches(['.', ',', ';', ':', '!', '?', ')']))
        });
        links.map(str::to_owned).collect()
    }

    fn parts(&self) -> (&str, &str) {
        let parts = self.raw.split_once("\r\n\r\n");
        parts.expect("a line between header and body")
    }

    /// The values of the headers of this name, unfolded.
    fn values(&self, name: &str) -> impl Iterator<Item = String> {
        let (headers, _) = self.parts();
        let unfolded = headers.replace("\r\n ", " ").replace("\r\n\t", "\t");
        let lines: Vec<String> = unfolded.split("\r\n").map(str::to_owned).collect();
        lines.into_iter().filter_map(move |line| {
            let (said, value) = line.split_once(':')?;
            said.eq_ignore_ascii_case(name)
                .then(|| value.trim().to_owned())
        })
    }
}

/// The digits of all groups "dddd dddd" in a line; "1234 5678 9012" has two.
fn codes_in(line: &str) -> Vec<String> {
    let words: Vec<&str> = line.split(' ').collect();
    let is_four = |word: &str| word.len() == 4 && word.bytes().all(|b| b.is_ascii_digit());
    let pairs = words.windows(2).filter_map(|pair| {
        let first = pair[0].trim_start_matches(|c: char| c.is_ascii_punctuation());
        let second = pair[1].trim_end_matches(|c: char| c.is_ascii_punctuation());
        (is_four(first) && is_four(second)).then(|| format!("{first}{second}"))
    });
    pairs.collect()
}

/// Decodes the encoded words of a header (RFC 2047) in UTF-8; blanks between two of them are no text.
fn decode_words(value: &str) -> String {
    let (mut decoded, mut rest, mut after_word) = (Vec::new(), value, false);
    while let Some(start) = rest.find("=?") {
        let (before, from) = rest.split_at(start);
        let Some((bytes, after)) = encoded_word(from) else {
            decoded.extend_from_slice(before.as_bytes());
            decoded.extend_from_slice(b"=?");
            (rest, after_word) = (&from[2..], false);
            continue;
        };
        if !(after_word && before.trim().is_empty()) {
            decoded.extend_from_slice(before.as_bytes());
        }
        decoded.extend(bytes);
        (rest, after_word) = (after, true);
    }
    decoded.extend_from_slice(rest.as_bytes());
    utf8(decoded)
}

/// The bytes of the encoded word at the beginning, and what follows it.
fn encoded_word(text: &str) -> Option<(Vec<u8>, &str)> {
    let (charset, rest) = text.strip_prefix("=?")?.split_once('?')?;
    let (encoding, rest) = rest.split_once('?')?;
    let (word, after) = rest.split_once("?=")?;
    if !charset.eq_ignore_ascii_case("utf-8") {
        return None;
    }
    let bytes = match encoding {
        "B" | "b" => BASE64_STANDARD.decode(word).ok()?,
        "Q" | "q" => escapes(&word.replace('_', " ")),
        _ => return None,
    };
    Some((bytes, after))
}

fn quoted_printable(body: &str) -> Vec<u8> {
    let mut decoded = Vec::new();
    let mut lines = body.split("\r\n").peekable();
    while let Some(line) = lines.next() {
        let line = line.trim_end_matches([' ', '\t']);
        let soft = line.strip_suffix('=');
        decoded.extend(escapes(soft.unwrap_or(line)));
        if soft.is_none() && lines.peek().is_some() {
            decoded.extend_from_slice(b"\r\n");
        }
    }
    decoded
}

/// Reads "=C3" as a byte.
fn escapes(text: &str) -> Vec<u8> {
    let mut parts = text.split('=');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2).expect("two digits after =");
        bytes.push(u8::from_str_radix(digits, 16).expect("two digits after ="));
        bytes.extend_from_slice(rest.as_bytes());
    }
    bytes
}

fn utf8(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).expect("UTF-8")
}
