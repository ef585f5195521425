//! The HTTP interface, the pages, the server that carries them.

pub mod admin;
mod chat;
pub mod console;
mod counted;
pub mod demo;
mod error;
mod events;
mod extract;
mod figures;
mod headers;
pub mod limit;
mod link;
pub mod metrics;
mod origin;
pub mod pages;
mod picture;
mod reference;
pub mod server;
mod status;
mod verify;

use std::any::Any;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tokio_util::sync::CancellationToken;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa::OpenApi;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::agent::Agents;
use crate::announcement::Announcements;
use crate::conversation::Engine;
use crate::edition::Editions;
use crate::edition::proposal::Proposals;
use crate::identity::Identity;
use crate::incident::Incidents;
use crate::knowledge::live::LiveKnowledge;
use crate::portal::Portal;
use crate::question::Questions;
use crate::rights::Rights;
use crate::telegram::BotName;
use demo::Demo;
use error::Code;
use limit::WebLimits;
use pages::Site;

/// What the handlers share.
#[derive(Clone)]
pub struct WebState(Arc<Web>);

impl Deref for WebState {
    type Target = Web;

    fn deref(&self) -> &Web {
        &self.0
    }
}

/// The parts that the handlers work with.
pub struct Web {
    /// The engine behind the chat.
    pub engine: Arc<Engine>,
    /// The knowledge, for single questions.
    pub knowledge: Arc<LiveKnowledge>,
    /// Where the site is.
    pub site: Site,
    /// What one network and one chat may ask for.
    pub limits: WebLimits,
    /// Proves who people are.
    pub identity: Arc<Identity>,
    /// Who works in the console.
    pub agents: Arc<Agents>,
    /// What is edited in the console.
    pub editions: Arc<Editions>,
    /// What was asked and not answered.
    pub questions: Arc<Questions>,
    /// What officers propose to add to the knowledge.
    pub proposals: Arc<Proposals>,
    /// Knows how the two systems are.
    pub incidents: Arc<Incidents>,
    /// What officers announce.
    pub announcements: Arc<Announcements>,
    /// What persons may ask about their data.
    pub rights: Arc<Rights>,
    /// The portal, if there is one.
    pub portal: Option<Arc<Portal>>,
    /// What the demonstration has instead of the world.
    pub demo: Option<Demo>,
    /// The bot's name on Telegram.
    pub bot_name: Arc<BotName>,
    /// What a channel answers over HTTP itself.
    pub channels: Router,
    /// How long a body may take.
    pub body_timeout: Duration,
    /// Cancelled when the server stops: streams end then.
    pub stop: CancellationToken,
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Tanya",
        description = "Questions and chats with the iSPEKS helpdesk. Errors are RFC 9457 problem documents with a stable code."
    ),
    modifiers(&ChatToken)
)]
struct Description;

struct ChatToken;

impl utoipa::Modify for ChatToken {
    fn modify(&self, description: &mut utoipa::openapi::OpenApi) {
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        let components = description.components.get_or_insert_default();
        components.add_security_scheme("chat", SecurityScheme::Http(bearer));
    }
}

/// Everything that the public listener answers.
pub fn router(mut web: Web) -> Router {
    let channels = std::mem::take(&mut web.channels);
    let state = WebState(Arc::new(web));
    let (api, description) = OpenApiRouter::<WebState>::with_openapi(Description::openapi())
        .routes(routes!(chat::ask_once))
        .routes(routes!(status::show))
        .routes(routes!(chat::begin))
        .routes(routes!(chat::say, chat::read))
        .routes(routes!(picture::send))
        .routes(routes!(events::follow))
        .routes(routes!(chat::vote))
        .routes(routes!(chat::end))
        .routes(routes!(verify::prove))
        .routes(routes!(verify::about))
        .routes(routes!(verify::start))
        .routes(routes!(verify::finish))
        .split_for_parts();
    let description = Arc::new(description.to_json().unwrap_or_default());
    let description = get(move |State(_): State<WebState>| {
        let description = Arc::clone(&description);
        async move {
            let json = [(axum::http::header::CONTENT_TYPE, "application/json")];
            (json, description.as_ref().clone())
        }
    });
    api.layer(from_fn_with_state(state.clone(), origin::own_only))
        .route("/api/openapi.json", description)
        .route("/", get(pages::home))
        .route("/chat", get(pages::chat))
        .route("/verify", get(verify::page))
        .route("/l", get(link::document_page))
        .route("/l/open", post(link::open_document))
        .route("/bukan-saya", get(link::disavow_page).post(link::disavow))
        .route("/demo/inbox", get(demo::inbox))
        .route("/demo/inbox.json", get(demo::inbox_json))
        .route("/widget.js", get(pages::widget))
        .route("/favicon.ico", get(pages::favicon))
        .route("/assets/{*path}", get(pages::asset))
        .merge(console::routes(state.clone()))
        .fallback(async || Code::NotFound)
        .method_not_allowed_fallback(async || Code::MethodNotAllowed)
        .layer(DefaultBodyLimit::max(extract::MAX_BODY))
        .layer(CatchPanicLayer::custom(broken))
        .route_layer(from_fn(metrics::measure))
        .with_state(state.clone())
        .merge(channels.layer(from_fn(metrics::measure)))
        .layer(from_fn_with_state(state.clone(), headers::complete))
        .layer(from_fn_with_state(state, reference::give))
}

fn broken(_: Box<dyn Any + Send + 'static>) -> Response {
    // What was thrown may hold words of a person: only that it happened is logged.
    tracing::error!("a request panicked");
    Code::Unavailable.into_response()
}
