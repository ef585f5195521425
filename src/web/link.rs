//! Links to documents, and "this was not me": a page that changes nothing, a person's own press, and only then the
//! effect. What scans mails and chats opens the page at most.

use askama::Template;
use axum::extract::rejection::FormRejection;
use axum::extract::{Form, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use url::Url;

use super::WebState;
use super::error::{Code, Refusal};
use super::pages::{PLAIN_PAGE, page};
use crate::conversation::report::{Report, Told};
use crate::identity::link::Pressed;
use crate::identity::request::{Action, Request};
use crate::knowledge::messages::Messages;
use crate::knowledge::text::Localised;
use crate::portal::{Fault, Portal, RegisteredAddress};
use crate::secret::{random_token, same};

/// The cookie that a page sets: only a browser that was shown the page can press its button.
const COOKIE: &str = "tanya-page";
/// How long it lives, in seconds.
const COOKIE_AGE: u32 = 900;
/// The most characters of a token.
const TOKEN: usize = 128;

#[derive(Template)]
#[template(path = "link.html")]
struct LinkPage;

#[derive(Template)]
#[template(path = "disavow.html")]
struct DisavowPage;

/// `/l`: the page of a document's link; the same whatever the link.
pub async fn document_page(State(state): State<WebState>, headers: HeaderMap) -> Response {
    let hosts = state.portal.as_ref().map(|portal| origins(portal));
    let policy = policy(&hosts.unwrap_or_default());
    pressed_page(&state, &headers, page(&policy, &LinkPage))
}

/// `/bukan-saya`: the page of "this was not me".
pub async fn disavow_page(State(state): State<WebState>, headers: HeaderMap) -> Response {
    pressed_page(&state, &headers, page(&policy(""), &DisavowPage))
}

/// The form may be sent to us, and lead on to the portal's own hosts.
fn policy(hosts: &str) -> String {
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'{hosts}; frame-ancestors 'none'"
    )
}

fn origins(portal: &Portal) -> String {
    let hosts = portal.link_hosts().iter();
    let scheme = portal.link_scheme();
    hosts.map(|host| format!(" {scheme}://{host}")).collect()
}

/// With the cookie that the button needs.
fn pressed_page(state: &WebState, headers: &HeaderMap, mut page: Response) -> Response {
    if is_scanner(headers) {
        metrics::counter!("tanya_link_prefetch_total").increment(1);
    }
    let nonce = random_token();
    let signed = state.limits.secret_key.derived("page", &nonce).next();
    let signed = encoded(signed.unwrap_or_default());
    let secure = state.site.is_secure();
    let cookie = format!(
        "{}={nonce}.{signed}; Path=/; Max-Age={COOKIE_AGE}; HttpOnly; SameSite=Strict{}",
        cookie_name(secure),
        if secure { "; Secure" } else { "" }
    );
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        page.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    page
}

fn cookie_name(secure: bool) -> String {
    if secure {
        format!("__Host-{COOKIE}")
    } else {
        COOKIE.to_owned()
    }
}

/// Whether it says itself that it is no person.
fn is_scanner(headers: &HeaderMap) -> bool {
    let agent = headers.get(header::USER_AGENT);
    let agent = agent
        .and_then(|agent| agent.to_str().ok())
        .unwrap_or_default();
    let agent = agent.to_lowercase();
    [
        "bot",
        "crawler",
        "preview",
        "safelinks",
        "scanner",
        "headless",
    ]
    .iter()
    .any(|name| agent.contains(name))
}

/// What the button sends.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PressedForm {
    token: String,
}

type PressedResult = Result<Form<PressedForm>, FormRejection>;

fn unreadable(rejection: FormRejection) -> Code {
    match rejection {
        FormRejection::InvalidFormContentType(_) => Code::UnsupportedType,
        _ => Code::InvalidBody,
    }
}

/// Whether a person pressed the button on our page: the page's own cookie, sent from our own origin, by a navigation
/// that a press began.
fn is_pressed(state: &WebState, headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let own = text("sec-fetch-site") == Some("same-origin");
    let navigates = text("sec-fetch-mode").is_none_or(|mode| mode == "navigate");
    // Safari, and apps that show pages with its engine, send the mode and never the user.
    let agent = text("user-agent").unwrap_or_default();
    let webkit = agent.contains("AppleWebKit/") && !agent.contains("Chrom");
    let browser = text("sec-fetch-mode").is_some() && !webkit;
    let pressed = !browser || text("sec-fetch-user") == Some("?1");
    own && navigates && pressed && has_cookie(state, headers)
}

fn has_cookie(state: &WebState, headers: &HeaderMap) -> bool {
    let name = cookie_name(state.site.is_secure());
    let cookies = headers.get_all(header::COOKIE).iter();
    let cookies = cookies.filter_map(|cookies| cookies.to_str().ok());
    let mut values = cookies.flat_map(|cookies| cookies.split(';'));
    let value = values.find_map(|cookie| {
        let (key, value) = cookie.trim().split_once('=')?;
        (key == name).then_some(value)
    });
    value
        .and_then(|value| value.split_once('.'))
        .is_some_and(|(nonce, signed)| {
            let mut derived = state.limits.secret_key.derived("page", nonce);
            derived.any(|right| same(encoded(right).as_bytes(), signed.as_bytes()))
        })
}

fn encoded(tag: [u8; 32]) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(tag)
}

#[derive(Template)]
#[template(path = "notice.html")]
struct Notice {
    title: String,
    text_ms: String,
    text_en: String,
}

/// What a page says: its title and its text.
type Said = (Localised<String>, Localised<String>);

/// A page that says something in both languages.
fn notice(state: &WebState, status: StatusCode, pick: impl Fn(&Messages) -> Said) -> Response {
    let knowledge = state.knowledge.current();
    let (title, text) = pick(knowledge.messages());
    let said = Notice {
        title: format!("{} / {}", title.ms, title.en),
        text_ms: text.ms,
        text_en: text.en,
    };
    (status, page(PLAIN_PAGE, &said)).into_response()
}

/// `POST /l/open`: opens the document at the portal, once.
pub async fn open_document(
    State(state): State<WebState>,
    headers: HeaderMap,
    form: PressedResult,
) -> Result<Response, Refusal> {
    let Form(form) = form.map_err(unreadable)?;
    if !is_pressed(&state, &headers) {
        let refused = |m: &Messages| (m.notice_refused_title.clone(), m.notice_refused.clone());
        state.identity.note_unpressed().await?;
        return Ok(notice(&state, StatusCode::FORBIDDEN, refused));
    }
    let pressed = state.identity.press_link(&cut(&form.token)).await?;
    let Some(pressed) = pressed else {
        return Ok(gone(&state));
    };
    let (Some(proof), Some(portal)) = (&pressed.proof, &state.portal) else {
        tell_again(&state, &pressed).await?;
        return Ok(gone(&state));
    };
    let opened = open_at(
        portal,
        &pressed,
        &proof.who.reference,
        state.identity.as_ref(),
    )
    .await;
    let outcome = match &opened {
        Ok(_) => "opened",
        Err(Opening::Changed) => "record-changed",
        Err(Opening::Failed(Fault::Down | Fault::Lost | Fault::Garbled)) => "unavailable",
        Err(Opening::Failed(_)) => "refused",
    };
    state.engine.note_opened(&pressed, outcome).await?;
    match opened {
        Ok(url) => {
            tell(&state, &pressed, Told::LinkOpened(request(&pressed))).await?;
            let to = HeaderValue::from_str(url.as_str()).map_err(|_| Code::Unavailable)?;
            Ok((StatusCode::SEE_OTHER, [(header::LOCATION, to)]).into_response())
        }
        Err(Opening::Failed(Fault::Down | Fault::Lost | Fault::Garbled)) => {
            let down = |m: &Messages| (m.notice_down_title.clone(), m.notice_down.clone());
            Ok(notice(&state, StatusCode::SERVICE_UNAVAILABLE, down))
        }
        Err(_) => Ok(gone(&state)),
    }
}

/// Why a document could not be opened.
enum Opening {
    /// The person left, or the mailbox is another.
    Changed,
    /// The portal did not give its link.
    Failed(Fault),
}

/// The portal's own link, if the person is still who proved it.
async fn open_at(
    portal: &Portal,
    pressed: &Pressed,
    reference: &str,
    identity: &crate::identity::Identity,
) -> Result<Url, Opening> {
    let Some(proof) = &pressed.proof else {
        return Err(Opening::Changed);
    };
    let person = portal.person(reference, proof.who.kind).await;
    let person = person.map_err(Opening::Failed)?;
    let person = person.ok_or(Opening::Changed)?;
    let address = person.address.as_ref().map(RegisteredAddress::reveal);
    if !identity.is_still(&proof.who, person.active, address) {
        return Err(Opening::Changed);
    }
    let staff = person.staff().ok_or(Opening::Changed)?;
    let link = &pressed.link;
    // A press that opened nothing can be made again, and asks for another link of the portal's.
    let key = random_token();
    let url = match Action::parse(&link.document) {
        Some(Action::PenyataTahunan) => portal.statement_link(&staff, &link.period, &key).await,
        _ => portal.payslip_link(&staff, &link.period, &key).await,
    };
    url.map_err(Opening::Failed)
}

/// `POST /bukan-saya`: takes "this was not me".
pub async fn disavow(
    State(state): State<WebState>,
    headers: HeaderMap,
    form: PressedResult,
) -> Result<Response, Refusal> {
    let Form(form) = form.map_err(unreadable)?;
    if !is_pressed(&state, &headers) {
        let refused = |m: &Messages| (m.notice_refused_title.clone(), m.notice_refused.clone());
        return Ok(notice(&state, StatusCode::FORBIDDEN, refused));
    }
    if !state.engine.disavow(&cut(&form.token)).await? {
        return Ok(gone(&state));
    }
    let done = |m: &Messages| (m.notice_disavowed_title.clone(), m.notice_disavowed.clone());
    Ok(notice(&state, StatusCode::OK, done))
}

fn cut(token: &str) -> String {
    token.chars().take(TOKEN).collect()
}

fn gone(state: &WebState) -> Response {
    let gone = |m: &Messages| (m.notice_gone_title.clone(), m.notice_gone.clone());
    notice(state, StatusCode::GONE, gone)
}

fn request(pressed: &Pressed) -> Request {
    Request {
        action: Action::parse(&pressed.link.document).unwrap_or(Action::SlipGaji),
        period: Some(pressed.link.period.clone()),
    }
}

/// Tells the chat that a spent link was pressed, as long as it was opened before and this does not happen all the time.
async fn tell_again(state: &WebState, pressed: &Pressed) -> Result<(), Refusal> {
    let id = &pressed.link.conversation_id;
    if pressed.link.spent_at.is_none() || !state.engine.may_tell_again(id).await? {
        return Ok(());
    }
    tell(state, pressed, Told::LinkAgain(request(pressed))).await
}

async fn tell(state: &WebState, pressed: &Pressed, told: Told) -> Result<(), Refusal> {
    let report = Report {
        told: Some(told),
        proof: Some(&pressed.link.proof_id),
        ..Report::default()
    };
    state
        .engine
        .tell(&pressed.link.conversation_id, &report)
        .await?;
    Ok(())
}
