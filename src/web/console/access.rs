//! Who may do what, as one table over method and path; and the guard that holds every request against it before its
//! handler is reached.

use std::convert::Infallible;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{FromRequestParts, MatchedPath, Query, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use serde::de::DeserializeOwned;

use super::super::WebState;
use super::super::error::Code;
use super::super::origin::is_own;
use super::MAX_FORM;
use super::page;
use crate::agent::SignedIn;
use crate::agent::role::Permission;
use crate::secret::same;

/// What a request needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Nothing: it is the way in.
    Open,
    /// To be signed in.
    SignedIn,
    /// To be signed in, and to be allowed this.
    May(Permission),
}

/// What one method of one path needs.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// The path as the router has it.
    pub path: &'static str,
    /// What it needs.
    pub access: Access,
}

const fn get(path: &'static str, access: Access) -> Row {
    Row {
        method: "GET",
        path,
        access,
    }
}

const fn post(path: &'static str, access: Access) -> Row {
    Row {
        method: "POST",
        path,
        access,
    }
}

/// Every request that the console takes; what is not here is refused.
pub const ROUTES: &[Row] = &[
    get("/console", Access::SignedIn),
    get("/console/masuk", Access::Open),
    post("/console/masuk", Access::Open),
    get("/console/kod", Access::Open),
    post("/console/kod", Access::Open),
    get("/console/jemputan/{token}", Access::Open),
    post("/console/jemputan/{token}", Access::Open),
    post("/console/keluar", Access::SignedIn),
    post("/console/bahasa", Access::Open),
    post("/console/kehadiran", Access::SignedIn),
    get("/console/akaun", Access::SignedIn),
    post("/console/akaun/kata-laluan", Access::SignedIn),
    post("/console/akaun/kod-pemulihan", Access::SignedIn),
    post("/console/akaun/keluar-semua", Access::SignedIn),
    get("/console/langsung", Access::May(Permission::ViewQueue)),
    get("/console/baharu", Access::May(Permission::OpenTicket)),
    post("/console/baharu", Access::May(Permission::OpenTicket)),
    get(
        "/console/tiket/{number}",
        Access::May(Permission::ViewTicket),
    ),
    get(
        "/console/tiket/{number}/gambar/{id}",
        Access::May(Permission::ViewTranscript),
    ),
    post(
        "/console/tiket/{number}/balas",
        Access::May(Permission::WorkTicket),
    ),
    post(
        "/console/tiket/{number}/nota",
        Access::May(Permission::WorkTicket),
    ),
    post(
        "/console/tiket/{number}/ambil",
        Access::May(Permission::WorkTicket),
    ),
    post(
        "/console/tiket/{number}/serah",
        Access::May(Permission::WorkTicket),
    ),
    post(
        "/console/tiket/{number}/tugas",
        Access::May(Permission::WorkTicket),
    ),
    post(
        "/console/tiket/{number}/pindah",
        Access::May(Permission::WorkTicket),
    ),
    post(
        "/console/tiket/{number}/keutamaan",
        Access::May(Permission::WorkTicket),
    ),
    post(
        "/console/tiket/{number}/status",
        Access::May(Permission::WorkTicket),
    ),
    post(
        "/console/tiket/{number}/pautan",
        Access::May(Permission::WorkTicket),
    ),
    post(
        "/console/tiket/{number}/gabung",
        Access::May(Permission::MergeTickets),
    ),
    post(
        "/console/tiket/{number}/dedah",
        Access::May(Permission::UnmaskDetails),
    ),
    get("/console/jawapan", Access::May(Permission::ManageCanned)),
    post("/console/jawapan", Access::May(Permission::ManageCanned)),
    get(
        "/console/jawapan/{id}",
        Access::May(Permission::ManageCanned),
    ),
    post(
        "/console/jawapan/{id}",
        Access::May(Permission::ManageCanned),
    ),
    post(
        "/console/jawapan/{id}/padam",
        Access::May(Permission::ManageCanned),
    ),
    get("/console/soalan", Access::May(Permission::ProposeKnowledge)),
    post(
        "/console/soalan/cadang",
        Access::May(Permission::ProposeKnowledge),
    ),
    post(
        "/console/soalan/abai",
        Access::May(Permission::ProposeKnowledge),
    ),
    post(
        "/console/soalan/pulih",
        Access::May(Permission::ProposeKnowledge),
    ),
    get(
        "/console/cadangan",
        Access::May(Permission::ProposeKnowledge),
    ),
    get(
        "/console/cadangan/{id}",
        Access::May(Permission::ProposeKnowledge),
    ),
    post(
        "/console/cadangan/{id}/semak",
        Access::May(Permission::ProposeKnowledge),
    ),
    post(
        "/console/cadangan/{id}/tarik",
        Access::May(Permission::ProposeKnowledge),
    ),
    post(
        "/console/cadangan/{id}/lulus",
        Access::May(Permission::ApproveKnowledge),
    ),
    post(
        "/console/cadangan/{id}/tolak",
        Access::May(Permission::ApproveKnowledge),
    ),
    get("/console/versi", Access::May(Permission::RollBackKnowledge)),
    get(
        "/console/versi/{id}",
        Access::May(Permission::RollBackKnowledge),
    ),
    post(
        "/console/versi/kembali",
        Access::May(Permission::RollBackKnowledge),
    ),
    get("/console/audit", Access::May(Permission::ViewAudit)),
    get("/console/audit.csv", Access::May(Permission::ViewAudit)),
    post("/console/audit/semak", Access::May(Permission::ViewAudit)),
    get("/console/hak", Access::May(Permission::FileDataRequest)),
    post("/console/hak", Access::May(Permission::FileDataRequest)),
    post(
        "/console/hak/{id}/lulus",
        Access::May(Permission::DecideDataRequest),
    ),
    post(
        "/console/hak/{id}/tolak",
        Access::May(Permission::DecideDataRequest),
    ),
    post(
        "/console/hak/{id}/tarik",
        Access::May(Permission::FileDataRequest),
    ),
    post(
        "/console/hak/{id}/salinan",
        Access::May(Permission::FileDataRequest),
    ),
    post(
        "/console/hak/tahan",
        Access::May(Permission::DecideDataRequest),
    ),
    post(
        "/console/hak/tahan/{id}/tamat",
        Access::May(Permission::DecideDataRequest),
    ),
    get("/console/laporan", Access::May(Permission::ViewReports)),
    get("/console/laporan.csv", Access::May(Permission::ExportCsv)),
    post(
        "/console/laporan/agih",
        Access::May(Permission::AssignOthers),
    ),
    get("/console/insiden", Access::May(Permission::ManageIncidents)),
    post(
        "/console/insiden/{id}/sahkan",
        Access::May(Permission::ManageIncidents),
    ),
    post(
        "/console/insiden/{id}/tolak",
        Access::May(Permission::ManageIncidents),
    ),
    post(
        "/console/insiden/{id}/tutup",
        Access::May(Permission::ManageIncidents),
    ),
    post(
        "/console/pengumuman",
        Access::May(Permission::ManageIncidents),
    ),
    get(
        "/console/pengumuman/{id}",
        Access::May(Permission::ManageIncidents),
    ),
    post(
        "/console/pengumuman/{id}/hantar",
        Access::May(Permission::ManageIncidents),
    ),
    post(
        "/console/pengumuman/{id}/tarik",
        Access::May(Permission::ManageIncidents),
    ),
    get("/console/kalendar", Access::May(Permission::EditCalendar)),
    post("/console/kalendar", Access::May(Permission::EditCalendar)),
    post(
        "/console/kalendar/ical",
        Access::May(Permission::EditCalendar),
    ),
    get("/console/pegawai", Access::May(Permission::ManageAgents)),
    post("/console/pegawai", Access::May(Permission::ManageAgents)),
    post(
        "/console/pegawai/{username}/tetap",
        Access::May(Permission::ManageAgents),
    ),
    post(
        "/console/pegawai/{username}/aktif",
        Access::May(Permission::ManageAgents),
    ),
    post(
        "/console/pegawai/{username}/nyahaktif",
        Access::May(Permission::ManageAgents),
    ),
];

/// The cookie of a sign-in.
const COOKIE: &str = "tanya-console";

/// The name of the cookie: bound to this host where there is TLS.
fn cookie_name(secure: bool) -> String {
    if secure {
        format!("__Host-{COOKIE}")
    } else {
        COOKIE.to_owned()
    }
}

/// The header that sets the cookie; an empty token removes it.
pub fn set_cookie(state: &WebState, token: &str) -> HeaderValue {
    let secure = state.site.is_secure();
    let age = if token.is_empty() { "; Max-Age=0" } else { "" };
    let cookie = format!(
        "{}={token}; Path=/; HttpOnly; SameSite=Strict{}{age}",
        cookie_name(secure),
        if secure { "; Secure" } else { "" }
    );
    HeaderValue::from_str(&cookie).unwrap_or(HeaderValue::from_static(""))
}

/// The token of the cookie, if there is one.
pub fn token(state: &WebState, headers: &HeaderMap) -> Option<String> {
    let name = cookie_name(state.site.is_secure());
    let cookies = headers.get_all(header::COOKIE).iter();
    let cookies = cookies.filter_map(|cookies| cookies.to_str().ok());
    let mut pairs = cookies.flat_map(|cookies| cookies.split(';'));
    pairs.find_map(|cookie| {
        let (key, value) = cookie.trim().split_once('=')?;
        (key == name && !value.is_empty()).then(|| value.to_owned())
    })
}

/// Who is signed in, where the table demands that somebody is.
#[derive(Clone, Debug)]
pub struct Who(pub SignedIn);

impl FromRequestParts<WebState> for Who {
    type Rejection = Code;

    async fn from_request_parts(parts: &mut Parts, _: &WebState) -> Result<Self, Code> {
        // The guard put it there; without the guard nobody is anybody.
        let who = parts.extensions.get::<Self>().cloned();
        who.ok_or(Code::NotFound)
    }
}

/// Holds a request against the table.
pub async fn guard(State(state): State<WebState>, mut request: Request, next: Next) -> Response {
    let path = request.extensions().get::<MatchedPath>().cloned();
    // What may be read may be asked for by HEAD.
    let method = match *request.method() {
        Method::HEAD => "GET",
        ref method => method.as_str(),
    };
    let row = path.and_then(|path| {
        let mut rows = ROUTES.iter();
        rows.find(|row| row.path == path.as_str() && row.method == method)
    });
    let Some(row) = row else {
        return Code::NotFound.into_response();
    };
    let reads = row.method == "GET";
    if !reads && !is_own(request.headers(), &state.site.public_url) {
        return Code::ForeignOrigin.into_response();
    }
    if row.access == Access::Open {
        return page::headers(next.run(request).await);
    }
    // What a page does by itself keeps nobody signed in.
    let by_itself =
        row.path == "/console/langsung" || request.headers().contains_key("x-console-refresh");
    let who = match signed_in(&state, request.headers(), !by_itself).await {
        Ok(Some(who)) => who,
        Ok(None) => return page::headers(signed_out(reads)),
        Err(code) => return code.into_response(),
    };
    if let Access::May(permission) = row.access
        && !who.may(permission)
    {
        return page::headers(page::forbidden(&who));
    }
    if !reads {
        request = match checked(request, &who.csrf).await {
            Ok(request) => request,
            Err(code) => return code.into_response(),
        };
    }
    request.extensions_mut().insert(Who(who));
    page::headers(next.run(request).await)
}

async fn signed_in(
    state: &WebState,
    headers: &HeaderMap,
    moves: bool,
) -> Result<Option<SignedIn>, Code> {
    let Some(token) = token(state, headers) else {
        return Ok(None);
    };
    let signed_in = state.agents.signed_in(&token, moves).await;
    signed_in.map_err(|error| {
        tracing::error!(%error, "the database failed");
        Code::Unavailable
    })
}

fn signed_out(reads: bool) -> Response {
    if reads {
        Redirect::to("/console/masuk").into_response()
    } else {
        (StatusCode::UNAUTHORIZED, page::ended()).into_response()
    }
}

/// The request, if its form carries what our own page put in.
async fn checked(request: Request, csrf: &str) -> Result<Request, Code> {
    let kind = request.headers().get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if kind.split(';').next() != Some("application/x-www-form-urlencoded") {
        return Err(Code::UnsupportedType);
    }
    let (parts, body) = request.into_parts();
    let body: Bytes = to_bytes(body, MAX_FORM).await.map_err(|_| Code::TooLarge)?;
    let given = url::form_urlencoded::parse(&body).find(|(name, _)| name == "csrf");
    let given = given
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default();
    if !same(given.as_bytes(), csrf.as_bytes()) {
        return Err(Code::ForeignOrigin);
    }
    Ok(Request::from_parts(parts, Body::from(body)))
}

/// A form of our own pages; what nobody asked for is not taken.
pub struct Posted<T>(pub T);

impl<T: DeserializeOwned> axum::extract::FromRequest<WebState> for Posted<T> {
    type Rejection = Code;

    async fn from_request(request: Request, _: &WebState) -> Result<Self, Code> {
        let body = to_bytes(request.into_body(), MAX_FORM).await;
        let body = body.map_err(|_| Code::TooLarge)?;
        let form = serde_html_form(&body).ok_or(Code::InvalidBody)?;
        Ok(Self(form))
    }
}

/// What the query of an address asks for; what cannot be read asks for nothing.
pub struct Wanted<T>(pub T);

impl<T: DeserializeOwned + Default> FromRequestParts<WebState> for Wanted<T> {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &WebState) -> Result<Self, Infallible> {
        let read = Query::try_from_uri(&parts.uri);
        Ok(Self(read.map(|Query(asked)| asked).unwrap_or_default()))
    }
}

/// Reads a form; the token that the guard looked at is left out.
fn serde_html_form<T: DeserializeOwned>(body: &[u8]) -> Option<T> {
    let fields = url::form_urlencoded::parse(body).filter(|(name, _)| name != "csrf");
    let fields = fields.map(|(name, value)| {
        let value = serde_json::Value::String(value.into_owned());
        (name.into_owned(), value)
    });
    let fields: serde_json::Map<String, serde_json::Value> = fields.collect();
    serde_json::from_value(fields.into()).ok()
}
