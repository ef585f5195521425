//! What comes in and what goes out, the same for every channel.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::clock::{Millis, rfc3339};
use crate::identity::AskingNetwork;
use crate::knowledge::answer::Answer;
use crate::outbox::Carrier;
use crate::picture::{Picture, PictureRefused};
use crate::secret::Secret;
use crate::storage::message::MessageRow;

/// Through what a conversation is led.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    /// The chat on a web page: it fetches its messages.
    Web,
    /// Telegram: messages are carried to the person.
    Telegram,
    /// A terminal: shows what it is answered.
    Terminal,
}

impl Channel {
    /// The name as stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Web => "web",
            Self::Telegram => "telegram",
            Self::Terminal => "terminal",
        }
    }

    /// Reads the name as stored.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Web, Self::Telegram, Self::Terminal]
            .into_iter()
            .find(|channel| channel.as_str() == name)
    }

    /// What carries messages to the person; none where they are fetched.
    pub fn carrier(self) -> Option<Carrier> {
        match self {
            Self::Telegram => Some(Carrier::Telegram),
            Self::Web | Self::Terminal => None,
        }
    }
}

/// Who it is, on a channel that tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    /// The channel.
    pub channel: Channel,
    /// The channel's own id of the person; deliveries go there.
    pub id: String,
}

/// What a channel brought a message in, settled in the transaction that answers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Where it comes from, such as one bot.
    pub source: String,
    /// The source's own number for it.
    pub number: i64,
}

/// A message from a person, as a channel hands it over.
#[derive(Clone, Debug)]
pub struct Incoming {
    /// The channel's own id for it; the same id again has no second effect.
    pub client_id: Uuid,
    /// What the person did.
    pub content: Content,
    /// What is settled with it.
    pub receipt: Option<Receipt>,
    /// The channel's number of the message, where the channel can remove it: one that held a number or a password is.
    pub original: Option<i32>,
    /// How the channel names the person.
    pub who: Option<String>,
    /// The network that it comes from, as a name that tells nothing, where the channel knows it.
    pub network: Option<AskingNetwork>,
}

/// What a person did.
#[derive(Clone, Debug)]
pub enum Content {
    /// Typed a text, perhaps a command.
    Text(String),
    /// Pressed a choice.
    Choice(Pressed),
    /// Brought a proof back, with its secret.
    Returned(Secret),
    /// Pressed something that is not offered any more, on a channel that cannot refuse it at once.
    Lapsed,
    /// Sent a picture.
    Picture(SentPicture),
    /// Sent a picture that is not taken, on a channel that cannot refuse it at once.
    NoPicture(NoPicture),
    /// Sent something that is no text.
    Unreadable,
}

/// A picture that a person sent.
#[derive(Clone, Debug)]
pub struct SentPicture {
    /// The picture, made anew.
    pub picture: Arc<Picture>,
    /// What was written with it.
    pub caption: Option<String>,
    /// Whether another picture of its album was answered already.
    pub answered: bool,
}

/// Why a picture is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoPicture {
    /// For what it is.
    Refused(PictureRefused),
    /// Because so many were sent.
    TooOften,
    /// The channel did not hand it over.
    Lost,
}

/// A choice that was pressed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pressed {
    /// Its value.
    pub value: String,
    /// The message that it stands under, where the channel tells: it is valid for as long as that message is kept.
    pub under: Option<i64>,
}

/// Who wrote a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Sender {
    /// The person.
    User,
    /// The program.
    Bot,
    /// Somebody of the helpdesk.
    Officer,
}

impl Sender {
    /// The name as stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Bot => "bot",
            Self::Officer => "officer",
        }
    }

    fn parse(name: &str) -> Self {
        match name {
            "user" => Self::User,
            "officer" => Self::Officer,
            _ => Self::Bot,
        }
    }
}

/// What kind of message it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Plain text.
    #[default]
    Text,
    /// An answer from the knowledge.
    Answer,
    /// A question with candidates to choose from.
    Choices,
    /// Something that the person is asked to do elsewhere.
    Prompt,
    /// A link to a document.
    Link,
    /// Something to know.
    Notice,
}

/// Something to press.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Choice {
    /// What is sent back.
    pub value: String,
    /// What the button says.
    pub label: String,
}

/// A message, as a channel shows it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Message {
    /// Its number in the conversation, from 1.
    pub seq: i64,
    /// Who wrote it.
    pub from: Sender,
    /// When, RFC 3339 in UTC.
    pub at: String,
    /// The sender's own id, for messages of the person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<String>,
    /// What it says.
    #[serde(flatten)]
    pub body: Body,
    /// What the router or a choice led to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
}

/// What a message says; stored as it is shown, so that a transcript is what people saw.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
pub struct Body {
    /// What kind it is.
    pub kind: Kind,
    /// The whole message as plain text.
    pub text: String,
    /// The answer with its parts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Answer>)]
    pub answer: Option<Value>,
    /// What can be pressed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<Choice>,
    /// Where it leads; stored without what opens it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<MessageLink>,
    /// The ticket that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ticket: Option<MessageTicket>,
    /// Who of the helpdesk wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The proof under which it was said: it is hidden when that ends. Never shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(ignore)]
    pub proof: Option<String>,
}

/// A link in a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MessageLink {
    /// Where it leads.
    pub url: String,
    /// What its button says.
    pub label: String,
    /// When it dies, RFC 3339 in UTC.
    pub expires_at: String,
}

/// A ticket in a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MessageTicket {
    /// Its number.
    pub number: String,
    /// `open`, `pending`, `resolved` or `closed`.
    pub status: String,
}

impl Message {
    /// Reads a stored message. A body that cannot be read shows as empty rather than hiding the rest of the chat.
    pub fn from_row(row: MessageRow) -> Self {
        let from = Sender::parse(&row.sender);
        Self {
            seq: row.seq,
            from,
            at: rfc3339(row.created_at),
            client_id: row.client_id,
            body: serde_json::from_str(&row.body).unwrap_or_default(),
            // What a person's own words were taken for is for the operator, not for the chat.
            target: row.target.filter(|_| from != Sender::User),
        }
    }
}

/// What a link in a message leads to, by id: what opens it is derived when it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkTo {
    /// The page where a person proves who they are.
    Verification(String),
    /// A document.
    Document(String),
}

impl LinkTo {
    fn stored(&self) -> String {
        match self {
            Self::Verification(id) => format!("verify:{id}"),
            Self::Document(id) => format!("link:{id}"),
        }
    }

    /// Reads what was stored.
    pub fn parse(stored: &str) -> Option<Self> {
        match stored.split_once(':')? {
            ("verify", id) => Some(Self::Verification(id.to_owned())),
            ("link", id) => Some(Self::Document(id.to_owned())),
            _ => None,
        }
    }
}

/// Something that the bot says, before it has a number.
#[derive(Clone, Debug, Default)]
pub struct Reply {
    /// What it says.
    pub body: Body,
    /// What it is about.
    pub target: Option<String>,
}

impl Reply {
    /// A plain sentence.
    pub fn text(text: impl Into<String>) -> Self {
        Self {
            body: Body {
                text: text.into(),
                ..Body::default()
            },
            target: None,
        }
    }

    /// The same as another kind.
    pub fn kind(mut self, kind: Kind) -> Self {
        self.body.kind = kind;
        self
    }

    /// The same with something to press.
    pub fn choices(mut self, choices: Vec<Choice>) -> Self {
        self.body.choices = choices;
        self
    }

    /// The same, hidden when a proof ends.
    pub fn under(mut self, proof: &str) -> Self {
        self.body.proof = Some(proof.to_owned());
        self
    }

    /// The same with a link, by what it is and its id.
    pub fn link(mut self, to: LinkTo, label: &str, expires_at: Millis) -> Self {
        self.body.link = Some(MessageLink {
            url: to.stored(),
            label: label.to_owned(),
            expires_at: rfc3339(expires_at),
        });
        self
    }

    /// The same, about a ticket.
    pub fn ticket(mut self, number: &str, status: &str) -> Self {
        self.body.ticket = Some(MessageTicket {
            number: number.to_owned(),
            status: status.to_owned(),
        });
        self
    }

    /// The same, said to be about a target.
    pub fn about(mut self, target: &str) -> Self {
        self.target = Some(target.to_owned());
        self
    }
}
