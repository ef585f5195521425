//! The chats and what is in them, with the limits that Telegram sets to messages.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use reqwest::Url;
use serde_json::{Value, json};

use super::updates::{bot, now};
use super::{BOT_ID, Outcome, Refusal};

/// The longest text, in UTF-16 units as entities count them.
const LONGEST_TEXT: usize = 4096;
/// The most buttons under one message.
const MOST_BUTTONS: usize = 100;
/// The most bytes that a button carries.
const LONGEST_DATA: usize = 64;

/// Every chat that an update or the bot has named; one that nobody has named is made up when the bot writes to it.
#[derive(Default)]
pub struct Chats {
    chats: BTreeMap<i64, Value>,
    messages: BTreeMap<(i64, i64), Value>,
    last: BTreeMap<i64, i64>,
    /// Chats that the bot may not write to, with the reason.
    closed: BTreeMap<i64, Refusal>,
    /// Presses of buttons that may be answered.
    presses: BTreeSet<String>,
    /// What the bot has sent, as it was when it was sent.
    pub sent: Vec<(Instant, Value)>,
}

impl Chats {
    /// Remembers what an update tells about chats, messages and the bot's place in them.
    pub fn learn(&mut self, update: &Value) {
        for kind in [
            "message",
            "edited_message",
            "channel_post",
            "edited_channel_post",
        ] {
            self.learn_message(&update[kind]);
        }
        let press = &update["callback_query"];
        self.presses.extend(press["id"].as_str().map(str::to_owned));
        // What the bot has sent is known already, and newer than the copy in the press.
        let pressed = place(&press["message"]);
        if pressed.is_some_and(|pressed| !self.messages.contains_key(&pressed)) {
            self.learn_message(&press["message"]);
        }
        let member = &update["my_chat_member"];
        if let Some(chat) = member["chat"]["id"].as_i64() {
            self.chats.insert(chat, member["chat"].clone());
            let status = &member["new_chat_member"]["status"];
            if status == "kicked" || status == "left" {
                self.closed.insert(chat, Refusal::forbidden(chat));
            } else {
                self.closed.remove(&chat);
            }
        }
    }

    fn learn_message(&mut self, message: &Value) {
        let Some((chat, id)) = place(message) else {
            return;
        };
        self.chats.insert(chat, message["chat"].clone());
        self.messages.insert((chat, id), message.clone());
        let last = self.last.entry(chat).or_default();
        *last = id.max(*last);
        self.closed.remove(&chat);
        if message["left_chat_member"]["id"] == BOT_ID {
            self.closed.insert(chat, Refusal::forbidden(chat));
        }
        if let Some(to) = message["migrate_to_chat_id"].as_i64() {
            let mut refusal = Refusal::bad("group chat was upgraded to a supergroup chat");
            refusal.parameters = Some(json!({"migrate_to_chat_id": to}));
            self.closed.insert(chat, refusal);
        }
    }

    pub fn send_message(&mut self, params: &Value) -> Outcome {
        let chat = self.open(params)?;
        text_fits(params)?;
        keyboard_fits(&params["reply_markup"])?;
        let replied = self.replied(chat, &params["reply_parameters"])?;
        let last = self.last.entry(chat).or_default();
        *last += 1;
        let message_id = *last;
        let mut message = json!({
            "message_id": message_id, "from": bot(), "chat": self.chat(chat), "date": now(), "text": params["text"],
        });
        for name in ["entities", "link_preview_options", "message_thread_id"] {
            copy(params, &mut message, name);
        }
        if params["reply_markup"]["inline_keyboard"].is_array() {
            copy(params, &mut message, "reply_markup");
        }
        if let Some(mut replied) = replied {
            replied.as_object_mut().unwrap().remove("reply_to_message");
            message["reply_to_message"] = replied;
        }
        self.messages.insert((chat, message_id), message.clone());
        self.sent.push((Instant::now(), message.clone()));
        Ok(message)
    }

    pub fn edit_message_text(&mut self, params: &Value) -> Outcome {
        let before = self.editable(params)?;
        text_fits(params)?;
        keyboard_fits(&params["reply_markup"])?;
        let mut after = before.clone();
        for name in ["text", "entities", "link_preview_options", "reply_markup"] {
            copy(params, &mut after, name);
        }
        self.replace(&before, after)
    }

    pub fn edit_message_reply_markup(&mut self, params: &Value) -> Outcome {
        let before = self.editable(params)?;
        keyboard_fits(&params["reply_markup"])?;
        let mut after = before.clone();
        copy(params, &mut after, "reply_markup");
        self.replace(&before, after)
    }

    fn replace(&mut self, before: &Value, mut after: Value) -> Outcome {
        // A keyboard without buttons is none.
        if after["reply_markup"]["inline_keyboard"] == json!([]) {
            after.as_object_mut().unwrap().remove("reply_markup");
        }
        if *before == after {
            return Err(Refusal::bad(
                "message is not modified: specified new message content and reply markup are exactly the same \
                 as a current content and reply markup of the message",
            ));
        }
        after["edit_date"] = json!(now());
        self.messages.insert(place(before).unwrap(), after.clone());
        Ok(after)
    }

    pub fn delete_message(&mut self, params: &Value) -> Outcome {
        let chat = self.open(params)?;
        let place = (chat, params["message_id"].as_i64().unwrap_or_default());
        let Some(message) = self.messages.get(&place) else {
            return Err(Refusal::bad("message to delete not found"));
        };
        // In a group the bot is no administrator.
        if chat < 0 && message["from"]["id"] != BOT_ID {
            return Err(Refusal::bad("message can't be deleted"));
        }
        self.messages.remove(&place);
        Ok(json!(true))
    }

    pub fn answer_callback_query(&mut self, params: &Value) -> Outcome {
        let id = params["callback_query_id"].as_str().unwrap_or_default();
        if !self.presses.contains(id) {
            return Err(Refusal::bad(
                "query is too old and response timeout expired or query ID is invalid",
            ));
        }
        if units(&params["text"]).len() > 200 {
            return Err(Refusal::broken("MESSAGE_TOO_LONG"));
        }
        Ok(json!(true))
    }

    pub fn send_chat_action(&mut self, params: &Value) -> Outcome {
        self.open(params)?;
        let action = params["action"].as_str().unwrap_or_default();
        let known = action == "typing"
            || action == "choose_sticker"
            || action == "find_location"
            || ["photo", "video", "voice", "document", "video_note"]
                .iter()
                .any(|kind| action.ends_with(&format!("_{kind}")));
        if !known {
            return Err(Refusal::broken("wrong parameter action in request"));
        }
        Ok(json!(true))
    }

    pub fn leave_chat(&mut self, params: &Value) -> Outcome {
        let chat = self.open(params)?;
        if chat > 0 {
            return Err(Refusal::broken(
                "chat member status can't be changed in private chats",
            ));
        }
        let kind = self.chat(chat)["type"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        let refusal = Refusal::new(
            403,
            format!("Forbidden: bot is not a member of the {kind} chat"),
        );
        self.closed.insert(chat, refusal);
        Ok(json!(true))
    }

    pub fn get_chat(&mut self, params: &Value) -> Outcome {
        let chat = self.open(params)?;
        let mut chat = self.chat(chat);
        chat["accent_color_id"] = json!(0);
        chat["max_reaction_count"] = json!(11);
        chat["accepted_gift_types"] = json!({
            "unlimited_gifts": false, "limited_gifts": false, "unique_gifts": false,
            "premium_subscription": false, "gifts_from_channels": false,
        });
        Ok(chat)
    }

    /// The chat that is meant, if the bot may act in it.
    fn open(&self, params: &Value) -> Result<i64, Refusal> {
        let chat = match &params["chat_id"] {
            Value::String(name) => {
                let name_of =
                    |chat: &Value| chat["username"].as_str().map(|name| format!("@{name}"));
                let named = |chat: &Value| name_of(chat).as_ref() == Some(name);
                let known = self.chats.iter().find(|(_, chat)| named(chat));
                known.map(|(id, _)| *id).or_else(|| name.parse().ok())
            }
            id => id.as_i64(),
        };
        let chat = match chat {
            Some(chat) => chat,
            None if params["chat_id"].is_null() => return Err(Refusal::broken("chat_id is empty")),
            None => return Err(Refusal::bad("chat not found")),
        };
        match self.closed.get(&chat) {
            Some(refusal) => Err(refusal.clone()),
            None => Ok(chat),
        }
    }

    fn chat(&self, id: i64) -> Value {
        let made_up = || match id {
            1.. => json!({"id": id, "type": "private", "first_name": "Aminah"}),
            _ => json!({"id": id, "type": "supergroup", "title": "Warga Perbendaharaan"}),
        };
        self.chats.get(&id).cloned().unwrap_or_else(made_up)
    }

    fn editable(&self, params: &Value) -> Outcome {
        let chat = self.open(params)?;
        let place = (chat, params["message_id"].as_i64().unwrap_or_default());
        match self.messages.get(&place) {
            None => Err(Refusal::bad("message to edit not found")),
            Some(message) if message["from"]["id"] != BOT_ID => {
                Err(Refusal::bad("message can't be edited"))
            }
            Some(message) => Ok(message.clone()),
        }
    }

    /// The message that is replied to; none if there is none and that is all right.
    fn replied(&self, chat: i64, reply: &Value) -> Result<Option<Value>, Refusal> {
        let Some(id) = reply["message_id"].as_i64() else {
            return Ok(None);
        };
        let message = self.messages.get(&(chat, id)).cloned();
        if message.is_none() && reply["allow_sending_without_reply"] != true {
            return Err(Refusal::bad("message to be replied not found"));
        }
        Ok(message)
    }
}

/// The chat and the id of a message.
fn place(message: &Value) -> Option<(i64, i64)> {
    Some((
        message["chat"]["id"].as_i64()?,
        message["message_id"].as_i64()?,
    ))
}

/// Takes a field over, or away if it is not there.
fn copy(from: &Value, to: &mut Value, name: &str) {
    let to = to.as_object_mut().unwrap();
    match from.get(name) {
        Some(value) => to.insert(name.to_owned(), value.clone()),
        None => to.remove(name),
    };
}

fn units(text: &Value) -> Vec<u16> {
    text.as_str().unwrap_or_default().encode_utf16().collect()
}

fn text_fits(params: &Value) -> Result<(), Refusal> {
    if params["text"]
        .as_str()
        .unwrap_or_default()
        .trim()
        .is_empty()
    {
        return Err(Refusal::broken("message text is empty"));
    }
    if !params["parse_mode"].is_null() {
        return Err(Refusal::broken("parse_mode is not built"));
    }
    let text = units(&params["text"]);
    if text.len() > LONGEST_TEXT {
        return Err(Refusal::broken("message is too long"));
    }
    for entity in params["entities"].as_array().into_iter().flatten() {
        entity_fits(entity, &text)?;
    }
    Ok(())
}

fn entity_fits(entity: &Value, text: &[u16]) -> Result<(), Refusal> {
    let place = |name: &str| usize::try_from(entity[name].as_i64()?).ok();
    let (Some(offset), Some(length)) = (place("offset"), place("length")) else {
        return Err(Refusal::broken(
            "receive an entity with incorrect offset or length",
        ));
    };
    let end = offset.saturating_add(length);
    if length == 0 || end > text.len() {
        return Err(Refusal::broken("entity ends after the end of the text"));
    }
    // The second half of a character outside the basic plane.
    let splits = |place: usize| matches!(text.get(place), Some(0xDC00..=0xDFFF));
    if splits(offset) || splits(end) {
        return Err(Refusal::broken(
            "entity begins or ends in a middle of a UTF-16 symbol",
        ));
    }
    if entity["type"] == "text_link" && !is_link(&entity["url"]) {
        return Err(Refusal::broken("text_link has no URL that can be opened"));
    }
    Ok(())
}

fn is_link(url: &Value) -> bool {
    let url = Url::parse(url.as_str().unwrap_or_default());
    url.is_ok_and(|url| ["http", "https", "tg"].contains(&url.scheme()))
}

fn keyboard_fits(markup: &Value) -> Result<(), Refusal> {
    let rows = markup["inline_keyboard"].as_array().into_iter().flatten();
    let buttons: Vec<&Value> = rows.filter_map(Value::as_array).flatten().collect();
    if buttons.len() > MOST_BUTTONS {
        return Err(Refusal::broken("REPLY_MARKUP_TOO_LONG"));
    }
    for button in buttons {
        if button["text"]
            .as_str()
            .unwrap_or_default()
            .trim()
            .is_empty()
        {
            return Err(Refusal::broken("inline keyboard button text is empty"));
        }
        let decoration = ["text", "style", "icon_custom_emoji_id"];
        let fields = button
            .as_object()
            .into_iter()
            .flat_map(|fields| fields.keys());
        if fields
            .filter(|name| !decoration.contains(&name.as_str()))
            .count()
            != 1
        {
            return Err(Refusal::broken(
                "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard",
            ));
        }
        let data = button["callback_data"].as_str().map(str::len);
        if data.is_some_and(|bytes| !(1..=LONGEST_DATA).contains(&bytes)) {
            return Err(Refusal::broken("BUTTON_DATA_INVALID"));
        }
        if button.get("url").is_some_and(|url| !is_link(url)) {
            return Err(Refusal::broken("BUTTON_URL_INVALID"));
        }
    }
    Ok(())
}
