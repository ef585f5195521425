//! What an update says, as far as it concerns us. Read leniently from what came: a part that is new or broken never
//! costs the text beside it, as it does where an update must fit the types of some version of the Bot API.

use serde::Deserialize;
use serde_json::Value;

use super::button::PressedButton;
use super::picture::{Attached, attached};
use crate::conversation::message::Content;
use crate::knowledge::text::Language;
use crate::secret::Secret;

/// Who the bot is, as Telegram knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Its user id.
    pub id: i64,
    /// Its name without the @.
    pub name: String,
}

/// What an update says.
#[derive(Clone, Debug)]
pub enum Heard {
    /// A person wrote to the bot alone.
    Private(PrivateMessage),
    /// A person pressed a button.
    Press(Press),
    /// Somebody asked in a group.
    Group(GroupQuestion),
    /// A person blocked the bot, or lets it write again.
    Reachable {
        /// The person's chat.
        chat: i64,
        /// Whether the bot may write.
        reachable: bool,
    },
    /// The bot stands where it has nothing to say.
    Leave {
        /// The channel.
        chat: i64,
    },
    /// Nothing that concerns us.
    Nothing,
    /// Nothing that can be read.
    Unreadable,
}

/// A message to the bot alone.
#[derive(Clone, Debug)]
pub struct PrivateMessage {
    /// The person's chat, which is their id.
    pub chat: i64,
    /// The message's number there.
    pub number: i32,
    /// The language of their app.
    pub language: Language,
    /// What they did.
    pub content: Content,
    /// How the person calls themselves.
    pub who: Option<String>,
    /// The album that it belongs to: it is answered once.
    pub album: Option<String>,
    /// The picture that came, if it is one.
    pub attached: Option<Attached>,
    /// What was written with it.
    pub caption: Option<String>,
}

/// A button that was pressed.
#[derive(Clone, Debug)]
pub struct Press {
    /// What is told that the press was heard.
    pub query: String,
    /// Who pressed it.
    pub person: i64,
    /// The language of their app.
    pub language: Language,
    /// How the person calls themselves.
    pub who: Option<String>,
    /// The message that it stands under, in the chat with the person alone.
    pub private_message: Option<i32>,
    /// What it sent back, if that is ours.
    pub button: Option<PressedButton>,
}

/// A question to the bot in a group.
#[derive(Clone, Debug)]
pub struct GroupQuestion {
    /// The group.
    pub chat: i64,
    /// The message that asks.
    pub message: i32,
    /// The question, without what addresses the bot; empty if nothing is asked.
    pub text: String,
    /// Whether it is the name of something personal.
    pub personal: bool,
}

#[derive(Debug, Deserialize)]
struct Chat {
    id: i64,
    r#type: ChatType,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum ChatType {
    Private,
    Group,
    Supergroup,
    Channel,
}

#[derive(Debug, Deserialize)]
struct User {
    id: i64,
    is_bot: bool,
    #[serde(default)]
    language_code: Option<String>,
    #[serde(default)]
    username: Option<String>,
    #[serde(default)]
    first_name: Option<String>,
}

impl User {
    /// How the person calls themselves.
    fn shown(&self) -> Option<String> {
        let name = self.username.as_ref().map(|name| format!("@{name}"));
        name.or_else(|| self.first_name.clone())
    }

    fn language(&self) -> Language {
        let english = |code: &String| code == "en" || code.starts_with("en-");
        if self.language_code.as_ref().is_some_and(english) {
            Language::En
        } else {
            Language::Ms
        }
    }
}

/// A stretch of a text, in UTF-16 code units.
#[derive(Debug, Deserialize)]
struct Stretch {
    r#type: String,
    offset: usize,
    length: usize,
}

/// What a person can send that is no text. What is neither is a notice of Telegram's own.
const CONTENT: [&str; 20] = [
    "animation",
    "audio",
    "checklist",
    "contact",
    "dice",
    "document",
    "game",
    "live_photo",
    "location",
    "paid_media",
    "photo",
    "poll",
    "rich_message",
    "sticker",
    "story",
    "venue",
    "video",
    "video_note",
    "voice",
    "caption",
];

/// The chat that an update belongs to, as the lane in which it is handled; the person where there is no chat.
pub fn lane_of(update: &Value) -> String {
    let places = ["/chat/id", "/message/chat/id", "/from/id", "/user/id"];
    let parts = update
        .as_object()
        .into_iter()
        .flat_map(|parts| parts.values());
    parts
        .filter_map(|part| {
            places
                .iter()
                .find_map(|place| part.pointer(place)?.as_i64())
        })
        .next()
        .unwrap_or_default()
        .to_string()
}

/// What an update says to the bot.
pub fn hear(update: &Value, me: &Identity) -> Heard {
    let Some(parts) = update.as_object() else {
        return Heard::Unreadable;
    };
    let mut kinds = parts.keys().filter(|key| *key != "update_id");
    let Some((kind, part)) = kinds.next().and_then(|kind| parts.get_key_value(kind)) else {
        return Heard::Unreadable;
    };
    let heard = match kind.as_str() {
        "message" => message(part, me),
        "channel_post" => chat_of(part).map(|chat| Heard::Leave { chat: chat.id }),
        "callback_query" => press(part),
        "my_chat_member" => membership(part),
        _ => Some(Heard::Nothing),
    };
    heard.unwrap_or(Heard::Unreadable)
}

fn field<T: for<'a> Deserialize<'a>>(part: &Value, name: &str) -> Option<T> {
    T::deserialize(part.get(name)?).ok()
}

fn chat_of(part: &Value) -> Option<Chat> {
    field(part, "chat")
}

fn number(part: &Value) -> Option<i32> {
    field(part, "message_id")
}

fn message(part: &Value, me: &Identity) -> Option<Heard> {
    let chat = chat_of(part)?;
    let number = number(part)?;
    let from: Option<User> = field(part, "from");
    match chat.r#type {
        ChatType::Channel => Some(Heard::Leave { chat: chat.id }),
        ChatType::Private => private(part, chat.id, number, &from?),
        ChatType::Group | ChatType::Supergroup => {
            // An anonymous administrator comes as a bot that stands for the group itself.
            let of_group = field::<Chat>(part, "sender_chat").is_some_and(|it| it.id == chat.id);
            let forwarded = part.get("is_automatic_forward").is_some();
            let bot = from.is_some_and(|from| from.is_bot) && !of_group;
            let guest = part.get("guest_bot_caller_user").is_some();
            let topic = part.get("direct_messages_topic").is_some();
            if forwarded || bot || guest || topic {
                return Some(Heard::Nothing);
            }
            let asked = addressed(part, me).map(|(text, personal)| {
                Heard::Group(GroupQuestion {
                    chat: chat.id,
                    message: number,
                    text,
                    personal,
                })
            });
            Some(asked.unwrap_or(Heard::Nothing))
        }
    }
}

fn private(part: &Value, chat: i64, number: i32, from: &User) -> Option<Heard> {
    if from.is_bot {
        return Some(Heard::Nothing);
    }
    let content = match part.get("text") {
        Some(text) => text_content(&without_bot_name(text.as_str()?)),
        None if CONTENT.iter().any(|name| part.get(name).is_some()) => Content::Unreadable,
        None => return Some(Heard::Nothing),
    };
    Some(Heard::Private(PrivateMessage {
        chat,
        number,
        language: from.language(),
        content,
        who: from.shown(),
        album: field(part, "media_group_id"),
        attached: attached(part),
        caption: field(part, "caption"),
    }))
}

/// The length of a secret that brings a proof back, in characters.
const SECRET: usize = 43;

/// What a text is: a proof that comes back through the bot's own address, or words.
fn text_content(text: &str) -> Content {
    let secret = text.strip_prefix("/start ").map(str::trim);
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let secret = secret.filter(|secret| secret.len() == SECRET && secret.chars().all(allowed));
    match secret {
        Some(secret) => Content::Returned(Secret::new(secret.to_owned())),
        None => Content::Text(text.to_owned()),
    }
}

/// `/slip@some_bot` is `/slip`: in a chat with one bot there is no other.
fn without_bot_name(text: &str) -> String {
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    let (command, rest) = text.split_at(end);
    match command.split_once('@') {
        Some((name, _)) if command.starts_with('/') => format!("{name}{rest}"),
        _ => text.to_owned(),
    }
}

/// What is asked of the bot in a group, and whether by the name of something personal; none if it is not addressed.
fn addressed(part: &Value, me: &Identity) -> Option<(String, bool)> {
    let text: String = field(part, "text")?;
    let stretches: Vec<Value> = field(part, "entities").unwrap_or_default();
    let stretches = stretches
        .iter()
        .filter_map(|it| Stretch::deserialize(it).ok());
    for stretch in stretches {
        let Some((before, named, after)) = cut(&text, &stretch) else {
            continue;
        };
        match stretch.r#type.as_str() {
            "bot_command" if before.trim().is_empty() => {
                let (command, bot) = named.split_once('@').unwrap_or((named, &me.name));
                if !bot.eq_ignore_ascii_case(&me.name) {
                    return None;
                }
                let asks = command.eq_ignore_ascii_case("/tanya");
                let general = ["/start", "/bantuan", "/help"].contains(&command);
                return Some((after.trim().to_owned(), !asks && !general));
            }
            "mention" if named.trim_start_matches('@').eq_ignore_ascii_case(&me.name) => {
                return Some((format!("{before} {after}").trim().to_owned(), false));
            }
            _ => {}
        }
    }
    let replied: Option<User> = part
        .pointer("/reply_to_message/from")
        .and_then(|from| User::deserialize(from).ok());
    let to_me = replied.is_some_and(|from| from.id == me.id);
    to_me.then(|| (text.trim().to_owned(), false))
}

/// The text before a stretch, the stretch, and what follows; none if it lies outside.
fn cut<'a>(text: &'a str, stretch: &Stretch) -> Option<(&'a str, &'a str, &'a str)> {
    let start = byte_of(text, stretch.offset)?;
    let end = byte_of(text, stretch.offset.checked_add(stretch.length)?)?;
    Some((text.get(..start)?, text.get(start..end)?, text.get(end..)?))
}

/// Where a UTF-16 offset lies, in bytes.
fn byte_of(text: &str, offset: usize) -> Option<usize> {
    let mut units = 0;
    for (at, character) in text.char_indices() {
        if units == offset {
            return Some(at);
        }
        units += character.len_utf16();
    }
    (units == offset).then_some(text.len())
}

fn press(part: &Value) -> Option<Heard> {
    let from: User = field(part, "from")?;
    let message = part.get("message");
    let chat = message.and_then(chat_of);
    let own = chat.is_some_and(|chat| chat.r#type == ChatType::Private && chat.id == from.id);
    if from.is_bot {
        return Some(Heard::Nothing);
    }
    let data: Option<String> = field(part, "data");
    Some(Heard::Press(Press {
        query: field(part, "id")?,
        person: from.id,
        language: from.language(),
        who: from.shown(),
        private_message: message.filter(|_| own).and_then(number),
        button: data.and_then(|data| PressedButton::parse(&data)),
    }))
}

fn membership(part: &Value) -> Option<Heard> {
    let chat = chat_of(part)?;
    let status: String = field(part.get("new_chat_member")?, "status")?;
    let gone = matches!(status.as_str(), "kicked" | "left");
    Some(match chat.r#type {
        ChatType::Private => Heard::Reachable {
            chat: chat.id,
            reachable: !gone,
        },
        ChatType::Channel if !gone => Heard::Leave { chat: chat.id },
        ChatType::Group | ChatType::Supergroup | ChatType::Channel => Heard::Nothing,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn me() -> Identity {
        Identity {
            id: 1,
            name: "tanya_bot".to_owned(),
        }
    }

    /// Anything that can stand in a JSON document, with the names that we look for.
    fn anything() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(|number| json!(number)),
            "private|supergroup|channel|bot_command|mention|/tanya x|@tanya_bot|\\PC{0,20}"
                .prop_map(Value::from),
        ];
        leaf.prop_recursive(6, 60, 8, |inner| {
            let name = "update_id|message|callback_query|my_chat_member|channel_post|chat|from|id|type|text|entities|offset|length|message_id|data|is_bot|status|new_chat_member|reply_to_message|photo";
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::btree_map(name, inner, 0..8)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn ac_94_no_update_breaks_anything(update in anything()) {
            lane_of(&update);
            hear(&update, &me());
        }
    }

    #[test]
    fn entities_that_lie_outside_the_text_address_nobody() {
        for (offset, length) in [(0_u64, 100), (100, 1), (u64::MAX, 1), (1, u64::MAX), (1, 1)] {
            let update = json!({"update_id": 1, "message": {
                "message_id": 1, "date": 0, "text": "😀@tanya_bot apa khabar",
                "chat": {"id": -5, "type": "group", "title": "x"},
                "from": {"id": 7, "is_bot": false, "first_name": "A"},
                "entities": [{"type": "mention", "offset": offset, "length": length}],
            }});
            assert!(
                matches!(hear(&update, &me()), Heard::Nothing),
                "{offset} {length}"
            );
        }
    }
}
