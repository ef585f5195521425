//! Pictures that people send, fetched from Telegram: from the one host of the settings, by a path that has the form of
//! Telegram's own, following nothing, and never more than is taken.

use std::sync::LazyLock;
use std::time::Duration;

use regex::Regex;
use reqwest::{StatusCode, Url};
use serde::Deserialize;
use serde_json::Value;
use teloxide::Bot;
use teloxide::requests::Requester;
use teloxide::types::FileId;
use thiserror::Error;

use super::api::Refusal;
use crate::conversation::message::NoPicture;
use crate::picture::{MOST_BYTES, PictureRefused};

/// What Telegram names files by: a folder and a name, as in `photos/file_12.jpg`.
static PATH: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^[a-z_]{1,32}/[A-Za-z0-9_-]{1,64}(?:\.[A-Za-z0-9]{1,8})?$").ok());

/// A picture in a message, as Telegram names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PictureAt {
    /// What it is asked for by.
    pub file: String,
    /// Its bytes, as far as that is known.
    pub size: u64,
}

/// What a message holds besides text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attached {
    /// A picture that may be fetched.
    Picture(PictureAt),
    /// A picture of a kind that is not taken.
    OtherPicture,
}

#[derive(Debug, Deserialize)]
struct FileOf {
    file_id: String,
    #[serde(default)]
    file_size: Option<u64>,
    #[serde(default)]
    mime_type: Option<String>,
}

impl FileOf {
    fn at(self) -> PictureAt {
        PictureAt {
            file: self.file_id,
            size: self.file_size.unwrap_or_default(),
        }
    }
}

/// The picture of a message, if it is one: the largest size of a photo, or a file that is said to be an image.
pub fn attached(part: &Value) -> Option<Attached> {
    if let Some(sizes) = part.get("photo").and_then(Value::as_array) {
        let sizes = sizes
            .iter()
            .filter_map(|size| FileOf::deserialize(size).ok());
        // They come from small to large.
        let mut taken =
            sizes.filter(|size| size.file_size.unwrap_or_default() <= MOST_BYTES as u64);
        return taken.next_back().map(|size| Attached::Picture(size.at()));
    }
    // An animation comes as a document too.
    let document = part
        .get("document")
        .filter(|_| part.get("animation").is_none())?;
    let document = FileOf::deserialize(document).ok()?;
    match document.mime_type.as_deref() {
        Some("image/png" | "image/jpeg") => Some(Attached::Picture(document.at())),
        Some(kind) if kind.starts_with("image/") => Some(Attached::OtherPicture),
        _ => None,
    }
}

/// Why a picture was not fetched.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
enum FetchError {
    /// It is too large.
    #[error(transparent)]
    Refused(#[from] PictureRefused),
    /// Telegram does not give it, or names it by what is no name of its own.
    #[error("Telegram does not hand the picture over")]
    Lost,
    /// Telegram cannot now; worth trying again after this time.
    #[error("Telegram cannot hand the picture over now")]
    Later(Duration),
}

impl From<reqwest::Error> for FetchError {
    // What it says holds the address, and that the token.
    fn from(_: reqwest::Error) -> Self {
        Self::Later(Duration::ZERO)
    }
}

/// What came of fetching a picture.
pub enum Taken {
    /// Its bytes.
    Bytes(Vec<u8>),
    /// It is not taken.
    Not(NoPicture),
    /// It may be had after this time.
    Later(Duration),
}

/// Fetches what is attached to a message.
pub async fn take(bot: &Bot, attached: &Attached) -> Taken {
    let picture = match attached {
        Attached::Picture(picture) => picture,
        Attached::OtherPicture => {
            return Taken::Not(NoPicture::Refused(PictureRefused::Unsupported));
        }
    };
    match fetch(bot, picture).await {
        Ok(bytes) => Taken::Bytes(bytes),
        Err(FetchError::Refused(why)) => Taken::Not(NoPicture::Refused(why)),
        Err(FetchError::Lost) => Taken::Not(NoPicture::Lost),
        Err(FetchError::Later(wait)) => Taken::Later(wait),
    }
}

async fn fetch(bot: &Bot, picture: &PictureAt) -> Result<Vec<u8>, FetchError> {
    within_bounds(picture.size)?;
    let file = bot.get_file(FileId(picture.file.clone())).await;
    let file = file.map_err(|error| match Refusal::from(&error) {
        refusal @ (Refusal::Slow(_) | Refusal::Down | Refusal::Lost) => {
            FetchError::Later(refusal.wait(Duration::ZERO))
        }
        _ => FetchError::Lost,
    })?;
    // It is the largest number where Telegram does not say.
    if file.size != u32::MAX {
        within_bounds(u64::from(file.size))?;
    }
    let url = address(bot, &file.path).ok_or(FetchError::Lost)?;
    let mut response = bot.client().get(url).send().await?;
    match response.status() {
        StatusCode::OK => {}
        status if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => {
            return Err(FetchError::Later(Duration::ZERO));
        }
        // What leads elsewhere is not followed.
        _ => return Err(FetchError::Lost),
    }
    within_bounds(response.content_length().unwrap_or_default())?;
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        within_bounds((bytes.len() + chunk.len()) as u64)?;
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

fn within_bounds(size: u64) -> Result<(), PictureRefused> {
    if size > MOST_BYTES as u64 {
        return Err(PictureRefused::TooLarge);
    }
    Ok(())
}

/// Where a file is: on the host of the settings, under the bot's own token. None if the path is not Telegram's form.
fn address(bot: &Bot, path: &str) -> Option<Url> {
    if !PATH.as_ref()?.is_match(path) {
        return None;
    }
    let mut url = bot.api_url();
    let mut segments = url.path_segments_mut().ok()?;
    segments.pop_if_empty();
    segments.push("file").push(&format!("bot{}", bot.token()));
    segments.extend(path.split('/'));
    drop(segments);
    Some(url)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn bot(url: &str) -> Bot {
        Bot::with_client("1:A", reqwest::Client::new()).set_api_url(url.parse().unwrap())
    }

    #[test]
    fn ac_74_only_a_path_of_telegrams_own_form_has_an_address_and_it_is_on_the_fixed_host() {
        let bot = bot("https://api.telegram.org");
        let address = |path: &str| address(&bot, path).map(String::from);
        assert_eq!(
            address("photos/file_12.jpg").as_deref(),
            Some("https://api.telegram.org/file/bot1:A/photos/file_12.jpg")
        );
        assert!(address("documents/file_3.png").is_some());
        for path in [
            "",
            "photos",
            "/etc/passwd",
            "/var/lib/telegram-bot-api/1:A/photos/file_0.jpg",
            "../photos/file_0.jpg",
            "photos/../../getMe",
            "photos/..",
            "photos/.htaccess",
            "photos/file_0.jpg/..",
            "photos//file_0.jpg",
            "photos/file_0.jpg?x=1",
            "photos/file_0.jpg#x",
            "photos/file_0.jpg\n",
            "photos/file_0.jpg\0",
            "photos/file_0%2e.jpg",
            "photos\\file_0.jpg",
            "http://169.254.169.254/latest/meta-data",
            "//169.254.169.254/x",
            "https://evil.example/photos/file_0.jpg",
            "@evil.example/x",
            "photos/fi\u{200b}le.jpg",
            "photos/ｆile.jpg",
        ] {
            assert_eq!(address(path), None, "{path:?}");
        }
    }

    #[test]
    fn a_server_of_ones_own_keeps_its_own_path() {
        let bot = bot("http://bots.internal:8081/api/");
        assert_eq!(
            address(&bot, "photos/file_1.jpg")
                .map(String::from)
                .as_deref(),
            Some("http://bots.internal:8081/api/file/bot1:A/photos/file_1.jpg")
        );
    }

    #[test]
    fn the_largest_size_that_is_taken_is_meant_and_only_images_are_pictures() {
        let size = |name: &str, bytes: u64| json!({"file_id": name, "file_unique_id": name, "width": 1, "height": 1, "file_size": bytes});
        let photo = json!({"photo": [size("small", 1_000), size("large", 90_000), size("huge", 6_000_000)]});
        let large = PictureAt {
            file: "large".to_owned(),
            size: 90_000,
        };
        assert_eq!(attached(&photo), Some(Attached::Picture(large)));
        let document = |kind: &str| json!({"document": {"file_id": "d", "file_unique_id": "d", "file_name": "../../x.png", "mime_type": kind}});
        assert!(matches!(
            attached(&document("image/png")),
            Some(Attached::Picture(_))
        ));
        assert_eq!(
            attached(&document("image/svg+xml")),
            Some(Attached::OtherPicture)
        );
        assert_eq!(attached(&document("application/pdf")), None);
        assert_eq!(attached(&json!({"photo": []})), None);
        assert_eq!(attached(&json!({"photo": "x", "document": 7})), None);
    }
}
