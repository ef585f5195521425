//! The chat over HTTP (contracts, section 5).

use axum::Json;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::WebState;
use super::error::{Code, Problem, Refusal};
use super::extract::{JsonBody, OpenConversation};
use super::limit::ClientNetwork;
use crate::conversation::Vote;
use crate::conversation::message::{Channel, Content, Incoming, Message, Pressed};
use crate::knowledge::ask::{Finding, MAX_CHARS, ask, askable};
use crate::knowledge::text::Language;

/// One question.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// The question, up to 4,096 characters.
    text: String,
    /// Language of the answer; by default that of the question.
    #[serde(default)]
    lang: Option<Language>,
}

/// Answer one question; nothing is stored.
#[utoipa::path(post, path = "/api/v1/ask", tag = "ask", request_body = Question,
    responses((status = 200, body = Finding), (status = "4XX", body = Problem), (status = 503, body = Problem)))]
pub async fn ask_once(
    State(state): State<WebState>,
    JsonBody(question): JsonBody<Question>,
) -> Result<Json<Finding>, Code> {
    askable(&question.text)?;
    let finding = ask(
        &state.knowledge.current(),
        &question.text,
        question.lang.into(),
    )?;
    metrics::counter!("tanya_asks_total", "outcome" => finding.outcome.as_str()).increment(1);
    Ok(Json(finding))
}

/// How a chat begins.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Beginning {
    /// Language of the first messages.
    #[serde(default)]
    lang: Language,
}

/// A chat that was begun.
#[derive(Debug, Serialize, ToSchema)]
pub struct BegunChat {
    /// Its id.
    id: String,
    /// Opens it: `Authorization: Bearer TOKEN`.
    token: String,
    /// The first messages.
    replies: Vec<Message>,
}

/// Begin a chat.
#[utoipa::path(post, path = "/api/v1/conversations", tag = "chat", request_body = Beginning,
    responses((status = 201, body = BegunChat), (status = "4XX", body = Problem), (status = 503, body = Problem)))]
pub async fn begin(
    State(state): State<WebState>,
    ClientNetwork(network): ClientNetwork,
    JsonBody(beginning): JsonBody<Beginning>,
) -> Result<(StatusCode, Json<BegunChat>), Refusal> {
    state.limits.admit_chat(&network).await?;
    let begun = state.engine.begin(Channel::Web, beginning.lang).await?;
    let chat = BegunChat {
        id: begun.id,
        token: begun.token,
        replies: begun.replies,
    };
    Ok((StatusCode::CREATED, Json(chat)))
}

/// A message of the person: either a text or a choice.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMessage {
    /// The sender's own id; the same id again does nothing twice.
    client_id: Uuid,
    /// What was typed.
    #[serde(default)]
    text: Option<String>,
    /// The value of the choice that was pressed.
    #[serde(default)]
    choice: Option<String>,
}

/// What is said to a message.
#[derive(Debug, Serialize, ToSchema)]
pub struct Replies {
    /// What is said, in order.
    pub replies: Vec<Message>,
}

/// Say something in a chat.
#[utoipa::path(post, path = "/api/v1/conversations/{id}/messages", tag = "chat", request_body = NewMessage,
    params(("id" = String, Path)), security(("chat" = [])),
    responses((status = 200, body = Replies), (status = "4XX", body = Problem), (status = 503, body = Problem)))]
pub async fn say(
    State(state): State<WebState>,
    ClientNetwork(network): ClientNetwork,
    OpenConversation(id): OpenConversation,
    JsonBody(message): JsonBody<NewMessage>,
) -> Result<Json<Replies>, Refusal> {
    let content = match (message.text, message.choice) {
        (Some(text), None) => Content::Text(text),
        (None, Some(value)) => Content::Choice(Pressed { value, under: None }),
        (Some(_), Some(_)) | (None, None) => return Err(Code::InvalidBody.into()),
    };
    let incoming = Incoming {
        client_id: message.client_id,
        content,
        receipt: None,
        original: None,
        who: None,
        network: Some(state.limits.asking(&network)),
    };
    let replies = state.engine.handle(&id, incoming).await?;
    Ok(Json(Replies { replies }))
}

/// Where to go on reading.
#[derive(Debug, Default, Deserialize)]
pub struct After {
    /// Messages with a higher number.
    #[serde(default)]
    pub after: i64,
}

/// Messages of a chat.
#[derive(Debug, Serialize, ToSchema)]
pub struct Messages {
    messages: Vec<Message>,
}

/// Read a chat, both sides, in order; 500 messages at most, ask again for more.
#[utoipa::path(get, path = "/api/v1/conversations/{id}/messages", tag = "chat",
    params(("id" = String, Path), ("after" = Option<i64>, Query)), security(("chat" = [])),
    responses((status = 200, body = Messages), (status = "4XX", body = Problem), (status = 503, body = Problem)))]
pub async fn read(
    State(state): State<WebState>,
    OpenConversation(id): OpenConversation,
    after: Result<Query<After>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<Messages>, Code> {
    let Query(after) = after.map_err(|_| Code::InvalidBody)?;
    let messages = state.engine.messages(&id, after.after).await?;
    Ok(Json(Messages { messages }))
}

/// Whether a message helped.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewVote {
    /// The number of the bot's or an officer's message.
    seq: i64,
    /// Whether it helped.
    helpful: bool,
    /// What the person adds, up to 4,096 characters.
    #[serde(default)]
    comment: Option<String>,
}

/// Say whether a message helped; a later vote takes the place of an earlier.
#[utoipa::path(post, path = "/api/v1/conversations/{id}/feedback", tag = "chat", request_body = NewVote,
    params(("id" = String, Path)), security(("chat" = [])),
    responses((status = 204), (status = "4XX", body = Problem), (status = 503, body = Problem)))]
pub async fn vote(
    State(state): State<WebState>,
    OpenConversation(id): OpenConversation,
    JsonBody(vote): JsonBody<NewVote>,
) -> Result<StatusCode, Code> {
    let comment = vote.comment.filter(|comment| !comment.trim().is_empty());
    if comment
        .as_ref()
        .is_some_and(|c| c.chars().count() > MAX_CHARS)
    {
        return Err(Code::TextTooLong);
    }
    let vote = Vote {
        seq: vote.seq,
        helpful: vote.helpful,
        comment: comment.as_deref(),
        receipt: None,
    };
    state.engine.vote(&id, vote).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// End a chat; its token opens nothing any more.
#[utoipa::path(delete, path = "/api/v1/conversations/{id}", tag = "chat",
    params(("id" = String, Path)), security(("chat" = [])),
    responses((status = 204), (status = "4XX", body = Problem), (status = 503, body = Problem)))]
pub async fn end(
    State(state): State<WebState>,
    OpenConversation(id): OpenConversation,
) -> Result<StatusCode, Code> {
    state.engine.end(&id).await?;
    Ok(StatusCode::NO_CONTENT)
}
