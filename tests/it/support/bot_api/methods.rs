//! What Telegram knows, and what each method does to it.

use std::collections::BTreeMap;

use reqwest::Url;
use serde_json::{Value, json};

use super::chats::Chats;
use super::description::DESCRIPTION;
use super::files::Files;
use super::queue::Queue;
use super::updates::bot;
use super::{Fault, Outcome, Refusal, Webhook};

/// How much of a wrong request a violation shows, in characters.
const SHOWN: usize = 300;

/// A fault that waits for its call.
pub struct Planned {
    /// In lower case; none stands for any method.
    pub method: Option<String>,
    /// None stands for any chat.
    pub chat: Option<i64>,
    pub fault: Fault,
    pub times: usize,
}

/// Everything behind the interface.
#[derive(Default)]
pub struct Telegram {
    pub queue: Queue,
    pub chats: Chats,
    pub files: Files,
    pub webhook: Option<Webhook>,
    pub last_update: i64,
    /// Counts the calls of getUpdates; the newest one ends those before it.
    pub polls: u64,
    pub faults: Vec<Planned>,
    /// Method in lower case and parameters of what took effect.
    pub calls: Vec<(String, Value)>,
    /// Method in lower case of every call.
    pub attempts: Vec<String>,
    /// Method in lower case of every call with a token that is not the bot's.
    pub refused: Vec<String>,
    /// Calls that were done and whose answer was held back.
    pub held: usize,
    pub violations: Vec<String>,
    /// The bot's token since the first was revoked.
    pub token: Option<String>,
    /// By audience.
    pub commands: BTreeMap<String, Value>,
}

impl Telegram {
    /// Makes an update one that Telegram has sent: under an id, known to the chats, and held against the description.
    pub fn issue(&mut self, mut update: Value, check: bool) -> Value {
        if let Some(fields) = update.as_object_mut() {
            let next = || json!(self.last_update + 1);
            let id = fields.entry("update_id").or_insert_with(next).as_i64();
            self.last_update = self.last_update.max(id.unwrap_or_default());
        }
        if let Some(description) = DESCRIPTION.as_ref().filter(|_| check) {
            self.violations.extend(description.update(&update));
        }
        self.chats.learn(&update);
        update
    }

    /// Notes a call, holds it against the description and says which fault meets it.
    pub fn receive(&mut self, method: &str, params: &Value) -> Option<Fault> {
        self.attempts.push(method.to_owned());
        if let Some(description) = &*DESCRIPTION
            && let Some(method) = description.method(method)
        {
            self.violations.extend(description.request(method, params));
        }
        let chat = params["chat_id"].as_i64();
        let meets = |planned: &&mut Planned| {
            planned.times > 0
                && planned.method.as_deref().is_none_or(|name| name == method)
                && (planned.chat.is_none() || planned.chat == chat)
        };
        let planned = self.faults.iter_mut().find(meets)?;
        planned.times -= 1;
        Some(planned.fault.clone())
    }

    /// Notes how a call went, and holds what is answered against the description.
    pub fn settle(&mut self, method: &str, params: &Value, outcome: &Outcome) {
        match outcome {
            Ok(result) => {
                self.calls.push((method.to_owned(), params.clone()));
                if let Some(description) = &*DESCRIPTION
                    && let Some(method) = description.method(method)
                {
                    self.violations.extend(description.answer(method, result));
                }
            }
            Err(refusal) if refusal.broken => {
                let params: String = params.to_string().chars().take(SHOWN).collect();
                let complaint = format!("{method}: {}: {params}", refusal.description);
                self.violations.push(complaint);
            }
            Err(_) => {}
        }
    }

    /// Does what a method is for, except for getUpdates, which waits.
    pub fn perform(&mut self, method: &str, params: &Value) -> Outcome {
        match method {
            "getme" => Ok(me()),
            "sendmessage" => self.chats.send_message(params),
            "editmessagetext" => self.chats.edit_message_text(params),
            "editmessagereplymarkup" => self.chats.edit_message_reply_markup(params),
            "deletemessage" => self.chats.delete_message(params),
            "answercallbackquery" => self.chats.answer_callback_query(params),
            "sendchataction" => self.chats.send_chat_action(params),
            "leavechat" => self.chats.leave_chat(params),
            "getfile" => self.files.get_file(params),
            "getchat" => self.chats.get_chat(params),
            "setmycommands" => self.set_my_commands(params),
            "getmycommands" => {
                let commands = self.commands.get(&audience(params)).cloned();
                Ok(commands.unwrap_or_else(|| json!([])))
            }
            "deletemycommands" => {
                self.commands.remove(&audience(params));
                Ok(json!(true))
            }
            "setmydescription" => no_longer_than(512, &params["description"]),
            "setmyshortdescription" => no_longer_than(120, &params["short_description"]),
            "setwebhook" => self.set_webhook(params),
            "deletewebhook" => {
                self.webhook = None;
                self.drop_pending(params);
                Ok(json!(true))
            }
            "getwebhookinfo" => Ok(self.webhook_info()),
            _ => self.not_built(method),
        }
    }

    fn not_built(&mut self, method: &str) -> Outcome {
        let known = DESCRIPTION
            .as_ref()
            .is_none_or(|api| api.method(method).is_some());
        let reason = if known { "not built" } else { "no such method" };
        self.violations.push(format!("{method}: {reason}"));
        Err(Refusal::new(404, "Not Found: method not found"))
    }

    fn set_my_commands(&mut self, params: &Value) -> Outcome {
        let commands = params["commands"].as_array().map_or(&[][..], Vec::as_slice);
        if commands.len() > 100 {
            return Err(Refusal::broken("BOT_COMMANDS_TOO_MUCH"));
        }
        for command in commands {
            let name = command["command"].as_str().unwrap_or_default();
            let plain = |char: char| matches!(char, 'a'..='z' | '0'..='9' | '_');
            if !(1..=32).contains(&name.len()) || !name.chars().all(plain) {
                return Err(Refusal::broken("BOT_COMMAND_INVALID"));
            }
            let description = command["description"].as_str().unwrap_or_default();
            if !(1..=256).contains(&description.chars().count()) {
                return Err(Refusal::broken("BOT_COMMAND_DESCRIPTION_INVALID"));
            }
        }
        let language = params["language_code"].as_str().unwrap_or_default();
        if ![0, 2].contains(&language.len()) {
            return Err(Refusal::broken("invalid language code specified"));
        }
        self.commands.insert(audience(params), json!(commands));
        Ok(json!(true))
    }

    fn set_webhook(&mut self, params: &Value) -> Outcome {
        let secret = params["secret_token"].as_str().map(str::to_owned);
        let plain = |char: char| char.is_ascii_alphanumeric() || char == '_' || char == '-';
        let fits = |secret: &String| (1..=256).contains(&secret.len()) && secret.chars().all(plain);
        if !secret.as_ref().is_none_or(fits) {
            return Err(Refusal::broken(
                "secret token contains unallowed characters",
            ));
        }
        let max_connections = params["max_connections"].as_i64();
        if max_connections.is_some_and(|count| !(1..=100).contains(&count)) {
            return Err(Refusal::broken("max_connections is not from 1 to 100"));
        }
        let url = params["url"].as_str().unwrap_or_default();
        if !url.is_empty() {
            webhook_fits(url)?;
        }
        self.allow(params);
        self.drop_pending(params);
        self.webhook = (!url.is_empty()).then(|| Webhook {
            url: url.to_owned(),
            secret,
            allowed_updates: self.queue.allowed.clone(),
            max_connections,
        });
        Ok(json!(true))
    }

    /// Keeps the kinds of updates that the bot asks for; unless it says something, they stay as they were.
    pub fn allow(&mut self, params: &Value) {
        if let Some(kinds) = params["allowed_updates"].as_array() {
            let kinds = kinds.iter().filter_map(Value::as_str);
            self.queue.allowed = kinds.map(str::to_owned).collect();
        }
    }

    fn drop_pending(&mut self, params: &Value) {
        if params["drop_pending_updates"] == true {
            self.queue.clear();
        }
    }

    fn webhook_info(&self) -> Value {
        let mut info = json!({
            "url": "", "has_custom_certificate": false, "pending_update_count": self.queue.len(),
        });
        if let Some(webhook) = &self.webhook {
            info["url"] = json!(webhook.url);
            info["ip_address"] = json!("127.0.0.1");
            info["max_connections"] = json!(webhook.max_connections.unwrap_or(40));
        }
        if !self.queue.allowed.is_empty() {
            info["allowed_updates"] = json!(self.queue.allowed);
        }
        info
    }
}

fn me() -> Value {
    let mut me = bot();
    for (name, value) in [
        ("can_join_groups", true),
        ("can_read_all_group_messages", false),
        ("supports_guest_queries", false),
        ("supports_inline_queries", false),
        ("can_connect_to_business", false),
        ("has_main_web_app", false),
        ("has_topics_enabled", false),
        ("allows_users_to_create_topics", false),
        ("can_manage_bots", false),
        ("supports_join_request_queries", false),
    ] {
        me[name] = json!(value);
    }
    me
}

/// For whom a list of commands is; an empty language and none are the same, as are the default scope and none.
fn audience(params: &Value) -> String {
    let scope = match &params["scope"] {
        Value::Null => json!({"type": "default"}),
        scope => scope.clone(),
    };
    let language = params["language_code"].as_str().unwrap_or_default();
    format!("{scope} {language}")
}

fn no_longer_than(most: usize, text: &Value) -> Outcome {
    if text.as_str().unwrap_or_default().chars().count() > most {
        return Err(Refusal::broken("the description is too long"));
    }
    Ok(json!(true))
}

/// The real one takes only HTTPS on four ports; here a loopback address is taken too.
fn webhook_fits(url: &str) -> Result<(), Refusal> {
    let Ok(url) = Url::parse(url) else {
        return Err(Refusal::broken(
            "bad webhook: invalid webhook URL specified",
        ));
    };
    if ["127.0.0.1", "localhost", "[::1]"].contains(&url.host_str().unwrap_or_default()) {
        return Ok(());
    }
    if url.scheme() != "https" {
        return Err(Refusal::broken(
            "bad webhook: An HTTPS URL must be provided for webhook",
        ));
    }
    if ![80, 88, 443, 8443].contains(&url.port_or_known_default().unwrap_or_default()) {
        return Err(Refusal::broken(
            "bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443",
        ));
    }
    Ok(())
}
