//! The pages of the sample portal. Plain HTML without script; everything variable is escaped.

use axum::Router;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;

use super::Simulator;

/// Told when identity number and temporary password do not fit.
pub const WRONG_LOGIN: &str = "Nombor atau kata laluan tidak sepadan. Portal contoh ini hanya menerima kata laluan sementara yang diemelkannya. / The number or password does not match. This sample accepts only temporary passwords that it mailed.";
/// Told when the new password is too short.
pub const TOO_SHORT: &str = "Gunakan sekurang-kurangnya 12 aksara. / Use at least 12 characters.";
/// Told when the two fields differ.
pub const NOT_THE_SAME: &str = "Kedua-dua kata laluan tidak sama. / The two passwords differ.";

const POLICY: &str = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
/// Browsers lay their own viewer, with its own styles, around a document.
const DOCUMENT_POLICY: &str = "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The style sheet and the icon that browsers ask for.
pub fn router() -> Router<Simulator> {
    Router::new()
        .route("/simulator.css", get(style))
        .route("/favicon.ico", get(async || StatusCode::NO_CONTENT))
}

async fn style() -> Response {
    let kind = [(header::CONTENT_TYPE, "text/css; charset=utf-8")];
    (kind, include_str!("simulator.css")).into_response()
}

/// Puts the headers on every answer that keep it from being stored, framed or guessed at.
pub async fn protect(mut response: Response) -> Response {
    let headers = response.headers_mut();
    let is_document = headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind == "application/pdf");
    let policy = if is_document { DOCUMENT_POLICY } else { POLICY };
    let fixed: [(HeaderName, &'static str); 6] = [
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("x-robots-tag"), "noindex"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

/// The page to log in on, with a problem to tell or none.
pub fn login(problem: &str) -> Html<String> {
    let body = format!(
        r#"<h1>Log masuk</h1>
<p class="en" lang="en">Log in</p>
{problem}<form method="post" action="/log-masuk">
<div class="field"><label for="id_no">Nombor kad pengenalan / ID syarikat <span lang="en">(identity number or company id)</span></label>
<input id="id_no" name="id_no" autocomplete="username" required maxlength="20"></div>
<div class="field"><label for="password">Kata laluan <span lang="en">(password)</span></label>
<input id="password" name="password" type="password" autocomplete="current-password" required maxlength="200"></div>
<button type="submit">Log masuk / <span lang="en">Log in</span></button>
</form>"#,
        problem = alert(problem)
    );
    layout("Log masuk", &body)
}

/// Shown after a temporary password was used.
pub fn logged_in() -> Html<String> {
    let body = r#"<h1>Log masuk berjaya</h1>
<p>Akaun contoh ini kini aktif. Di portal sebenar, kata laluan sementara ditukar di bahagian Akaun → Tukar Kata Laluan.</p>
<p class="en" lang="en">This sample account is active now. In the real portal you would change the temporary password under Akaun → Tukar Kata Laluan.</p>"#;
    layout("Log masuk berjaya", body)
}

/// The form to choose a new password, with a problem to tell or none.
pub fn choose_password(name: &str, problem: &str) -> Html<String> {
    let body = format!(
        r#"<h1>Pilih kata laluan baharu</h1>
<p class="en" lang="en">Choose a new password</p>
<p>Untuk / <span lang="en">for</span>: <strong>{name}</strong></p>
{problem}<form method="post">
<div class="field"><label for="password">Kata laluan baharu <span lang="en">(new password)</span></label>
<input id="password" name="password" type="password" autocomplete="new-password" required minlength="12" maxlength="200" aria-describedby="rule"></div>
<p id="rule" class="hint">Sekurang-kurangnya 12 aksara. <span lang="en">At least 12 characters. Do not use a real one: this is a sample.</span></p>
<div class="field"><label for="again">Taip sekali lagi <span lang="en">(once more)</span></label>
<input id="again" name="again" type="password" autocomplete="new-password" required minlength="12" maxlength="200"></div>
<button type="submit">Simpan / <span lang="en">Save</span></button>
</form>"#,
        name = escape(name),
        problem = alert(problem)
    );
    layout("Pilih kata laluan baharu", &body)
}

/// Shown after a password was chosen.
pub fn password_chosen() -> Html<String> {
    let body = r#"<h1>Kata laluan disimpan</h1>
<p>Akaun contoh tuan/puan kini aktif. Pautan ini tidak boleh digunakan lagi.</p>
<p class="en" lang="en">Your sample account is active now. This link cannot be used again.</p>"#;
    layout("Kata laluan disimpan", body)
}

/// Shown for a link that is spent, expired or unknown alike.
pub fn gone() -> Html<String> {
    let body = r#"<h1>Pautan tidak sah lagi</h1>
<p>Pautan ini sudah digunakan, telah luput atau tidak pernah wujud. Sila minta pautan yang baharu.</p>
<p class="en" lang="en">This link has been used, has expired or never existed. Please ask for a new one.</p>"#;
    layout("Pautan tidak sah lagi", body)
}

/// Shown for an address that leads nowhere.
pub async fn not_found() -> Response {
    let body = r#"<h1>Halaman tidak ditemui</h1>
<p class="en" lang="en">There is no such page.</p>
<p><a href="/">Kembali ke halaman log masuk / <span lang="en">Back to the login page</span></a></p>"#;
    let page = layout("Halaman tidak ditemui", body);
    (StatusCode::NOT_FOUND, page).into_response()
}

fn layout(title: &str, body: &str) -> Html<String> {
    Html(format!(
        r#"<!doctype html>
<html lang="ms">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} · Portal iSPEKS (CONTOH / SAMPLE)</title>
<link rel="stylesheet" href="/simulator.css">
</head>
<body>
<p class="stand-in">CONTOH – bukan portal rasmi. Semua orang dan dokumen di sini rekaan. <span lang="en">SAMPLE – not the official portal. Everybody and everything here is invented.</span></p>
<header><p class="brand">Portal iSPEKS <span>(CONTOH / SAMPLE)</span></p></header>
<main>
{body}
</main>
</body>
</html>
"#
    ))
}

fn alert(problem: &str) -> String {
    if problem.is_empty() {
        String::new()
    } else {
        format!(
            "<p class=\"problem\" role=\"alert\">{}</p>\n",
            escape(problem)
        )
    }
}

/// Makes text harmless between tags and in quoted attributes.
fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            _ => safe.push(letter),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn nothing_that_is_written_becomes_markup() {
        assert_eq!(
            escape(r#"<b a="x" c='y'>&"#),
            "&lt;b a=&quot;x&quot; c=&#39;y&#39;&gt;&amp;"
        );
    }
}
