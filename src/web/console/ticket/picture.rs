//! A picture that a person sent, as a file for an officer: to be kept, never to be opened as a page of ours.

use axum::extract::Path;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};

use super::at_ticket::AtTicket;
use super::view::PictureRow;
use crate::conversation::keeping::PictureFile;
use crate::storage::picture::ListedPicture;
use crate::ticket::TicketNumber;
use crate::web::console::page::{at_desk, not_found, when};
use crate::web::console::view::Words;
use crate::web::error::Refusal;

/// Nothing in it runs, wherever it is opened.
const POLICY: HeaderValue = HeaderValue::from_static("sandbox; default-src 'none'");

/// `GET /console/tiket/{number}/gambar/{id}`: another ticket's picture is as missing as one that there is not.
pub async fn download(
    at: AtTicket,
    Path((_, id)): Path<(String, String)>,
) -> Result<Response, Refusal> {
    let AtTicket { state, who, number } = &at;
    let found = state.engine.picture(at_desk(who), number, &id).await?;
    Ok(found.map_or_else(|| not_found(who), |file| given(number, file)))
}

fn given(number: &TicketNumber, file: PictureFile) -> Response {
    let PictureFile { place, kind, bytes } = file;
    // The name is ours alone.
    let name = format!(
        "attachment; filename=\"{number}-{place}.{}\"",
        kind.as_str()
    );
    let mut headers = HeaderMap::new();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static(kind.media_type()),
    );
    let name = HeaderValue::from_str(&name).unwrap_or(HeaderValue::from_static("attachment"));
    headers.insert(header::CONTENT_DISPOSITION, name);
    headers.insert(header::CONTENT_SECURITY_POLICY, POLICY);
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("private, no-store"),
    );
    headers.insert(
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("same-origin"),
    );
    (headers, bytes).into_response()
}

/// The pictures of a ticket, as its page lists them.
pub fn listed(w: &Words, number: &str, pictures: &[ListedPicture]) -> Vec<PictureRow> {
    let rows = (1..)
        .zip(pictures)
        .map(|(place, picture): (usize, _)| PictureRow {
            href: format!("/console/tiket/{number}/gambar/{}", picture.id),
            name: format!("{} {place}", w.t("Gambar", "Picture")),
            kind: picture.kind.to_uppercase(),
            size: size(picture.size),
            when: when(Some(picture.created_at)),
        });
    rows.collect()
}

/// Bytes as people read them.
fn size(bytes: i64) -> String {
    match bytes {
        1_048_576.. => format!(
            "{}.{} MB",
            bytes / 1_048_576,
            bytes % 1_048_576 * 10 / 1_048_576
        ),
        _ => format!("{} KB", bytes.max(1).div_euclid(1_024).max(1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_read_at_a_glance() {
        assert_eq!(size(0), "1 KB");
        assert_eq!(size(250_000), "244 KB");
        assert_eq!(size(4_404_019), "4.1 MB");
    }
}
