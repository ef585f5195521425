//! The updates that stories begin with.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::SystemTime;

use serde_json::{Value, json};

use super::{BOT_ID, BOT_NAME};

/// Between two of these ids there is room for the bot's own, so that ids in a chat rise with time.
const STEP: i64 = 1000;
static NEXT: AtomicI64 = AtomicI64::new(STEP);

/// A text in the private chat of a person whose Telegram is in Malay.
pub fn private_text(user: i64, text: &str) -> Value {
    private_text_in(user, text, "ms")
}

/// A text in the private chat of a person whose Telegram is in this language.
pub fn private_text_in(user: i64, text: &str, language_code: &str) -> Value {
    let mut message = message(&private_chat(user), user, text);
    message["from"]["language_code"] = json!(language_code);
    json!({"message": message})
}

/// A photo in the private chat of a person, in two sizes.
pub fn private_photo(user: i64, file_id: &str, caption: Option<&str>) -> Value {
    let size = |id: String, side: u32| json!({"file_id": id, "file_unique_id": format!("u{id}"), "width": side, "height": side});
    let sizes = json!([
        size(format!("{file_id}-small"), 90),
        size(file_id.to_owned(), 1280)
    ]);
    private_content(user, "photo", sizes, caption)
}

/// A file in the private chat of a person, of the kind that its sender says.
pub fn private_document(user: i64, file_id: &str, kind: &str) -> Value {
    let document = json!({
        "file_id": file_id, "file_unique_id": format!("u{file_id}"), "file_name": "../..\u{200b}/.htaccess", "mime_type": kind,
    });
    private_content(user, "document", document, None)
}

fn private_content(user: i64, name: &str, content: Value, caption: Option<&str>) -> Value {
    let mut update = private_text(user, "x");
    let message = update["message"].as_object_mut().unwrap();
    message.remove("text");
    message.insert(name.to_owned(), content);
    if let Some(caption) = caption {
        message.insert("caption".to_owned(), json!(caption));
    }
    update
}

/// A press on a button of a message that the bot has sent.
pub fn press(user: i64, message: &Value, data: &str) -> Value {
    json!({"callback_query": {
        "id": (user + NEXT.fetch_add(STEP, Ordering::Relaxed)).to_string(),
        "from": person(user),
        "message": message,
        "chat_instance": message["chat"]["id"].to_string(),
        "data": data,
    }})
}

/// A text in a supergroup.
pub fn group_text(chat: i64, user: i64, text: &str) -> Value {
    let chat = json!({"id": chat, "type": "supergroup", "title": "Warga Perbendaharaan"});
    json!({"message": message(&chat, user, text)})
}

/// A text in a supergroup that replies to a message there.
pub fn group_reply(chat: i64, user: i64, text: &str, reply_to: &Value) -> Value {
    let mut update = group_text(chat, user, text);
    let mut replied = reply_to.clone();
    // Telegram shows one level only.
    replied.as_object_mut().unwrap().remove("reply_to_message");
    update["message"]["reply_to_message"] = replied;
    update
}

/// A private text that was changed after it was sent.
pub fn edited(user: i64, text: &str) -> Value {
    let mut message = message(&private_chat(user), user, text);
    message["edit_date"] = json!(now());
    json!({"edited_message": message})
}

/// A person has blocked the bot.
pub fn blocked(user: i64) -> Value {
    let blocked = json!({"status": "kicked", "user": bot(), "until_date": 0});
    membership(user, json!({"status": "member", "user": bot()}), blocked)
}

/// A person has let the bot in again.
pub fn unblocked(user: i64) -> Value {
    let blocked = json!({"status": "kicked", "user": bot(), "until_date": 0});
    membership(user, blocked, json!({"status": "member", "user": bot()}))
}

fn membership(user: i64, old: Value, new: Value) -> Value {
    json!({"my_chat_member": {
        "chat": private_chat(user), "from": person(user), "date": now(), "old_chat_member": old, "new_chat_member": new,
    }})
}

fn message(chat: &Value, user: i64, text: &str) -> Value {
    let mut message = json!({
        "message_id": NEXT.fetch_add(STEP, Ordering::Relaxed),
        "from": person(user),
        "chat": chat,
        "date": now(),
        "text": text,
    });
    let entities = entities(text);
    if !entities.is_empty() {
        message["entities"] = json!(entities);
    }
    message
}

fn person(user: i64) -> Value {
    json!({
        "id": user, "is_bot": false, "first_name": "Aminah", "last_name": "binti Ali", "language_code": "ms",
    })
}

fn private_chat(user: i64) -> Value {
    json!({"id": user, "type": "private", "first_name": "Aminah", "last_name": "binti Ali"})
}

/// The bot, as it stands in messages.
pub fn bot() -> Value {
    json!({"id": BOT_ID, "is_bot": true, "first_name": "Tanya", "username": BOT_NAME})
}

/// Seconds since 1970.
#[expect(
    clippy::disallowed_methods,
    reason = "this is Telegram's clock, not the program's"
)]
pub fn now() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.unwrap().as_secs()
}

/// The commands and mentions that Telegram marks in a text, in UTF-16 units.
fn entities(text: &str) -> Vec<Value> {
    let mut entities = Vec::new();
    let mut before = ' ';
    let mut end = 0;
    for (start, char) in text.char_indices() {
        let free = start >= end && !is_word(before) && before != '/' && before != '@';
        before = char;
        let kind = match char {
            '/' => "bot_command",
            '@' => "mention",
            _ => continue,
        };
        let length = 1 + word(&text[start + 1..]);
        if !free || length == 1 {
            continue;
        }
        end = start + length;
        if char == '/' && text[end..].starts_with('@') {
            let name = word(&text[end + 1..]);
            end += if name == 0 { 0 } else { 1 + name };
        }
        let units = |text: &str| text.encode_utf16().count();
        entities.push(json!({
            "type": kind, "offset": units(&text[..start]), "length": units(&text[start..end]),
        }));
    }
    entities
}

/// How long the name at the beginning of a text is.
fn word(text: &str) -> usize {
    let ends = |char: char| !(char.is_ascii_alphanumeric() || char == '_');
    text.find(ends).unwrap_or(text.len())
}

fn is_word(char: char) -> bool {
    char.is_alphanumeric() || char == '_'
}
