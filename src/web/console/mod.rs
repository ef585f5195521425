//! The officers' console: pages made on the server, forms that work without scripts. Who may do what stands in one
//! table; what is not in it is refused.

mod access;
mod agents;
mod calendar;
mod canned;
mod chart;
mod counter;
mod door;
mod live;
mod page;
mod queue;
mod reading;
mod reports;
mod search;
mod ticket;
mod view;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};

use super::WebState;

pub use access::{Access, ROUTES, Row};

/// The largest form that is read, in bytes: a calendar may be pasted.
const MAX_FORM: usize = 1 << 20;

/// Everything under `/console`.
pub fn routes(state: WebState) -> Router<WebState> {
    Router::new()
        .route("/console", get(queue::show))
        .route(
            "/console/masuk",
            get(door::sign_in_page).post(door::sign_in),
        )
        .route("/console/kod", get(door::code_page).post(door::code))
        .route(
            "/console/jemputan/{token}",
            get(door::invitation_page).post(door::enrol),
        )
        .route("/console/keluar", post(door::sign_out))
        .route("/console/bahasa", post(door::speak))
        .route("/console/kehadiran", post(door::presence))
        .route("/console/akaun", get(door::account))
        .route(
            "/console/akaun/keluar-semua",
            post(door::sign_out_everywhere),
        )
        .route("/console/langsung", get(live::follow))
        .route("/console/baharu", get(counter::form).post(counter::open))
        .route("/console/tiket/{number}", get(ticket::show))
        .route("/console/tiket/{number}/balas", post(ticket::reply))
        .route("/console/tiket/{number}/nota", post(ticket::note))
        .route("/console/tiket/{number}/ambil", post(ticket::take))
        .route("/console/tiket/{number}/serah", post(ticket::hand_back))
        .route("/console/tiket/{number}/tugas", post(ticket::assign))
        .route("/console/tiket/{number}/pindah", post(ticket::move_to))
        .route(
            "/console/tiket/{number}/keutamaan",
            post(ticket::prioritise),
        )
        .route("/console/tiket/{number}/status", post(ticket::set_status))
        .route("/console/tiket/{number}/pautan", post(ticket::link))
        .route("/console/tiket/{number}/gabung", post(ticket::merge))
        .route("/console/tiket/{number}/dedah", post(ticket::unmask))
        .route("/console/jawapan", get(canned::list).post(canned::add))
        .route(
            "/console/jawapan/{id}",
            get(canned::edit).post(canned::change),
        )
        .route("/console/jawapan/{id}/padam", post(canned::delete))
        .route("/console/pegawai", get(agents::list).post(agents::add))
        .route("/console/pegawai/{username}/tetap", post(agents::reset))
        .route("/console/pegawai/{username}/aktif", post(agents::reset))
        .route(
            "/console/pegawai/{username}/nyahaktif",
            post(agents::disable),
        )
        .route("/console/laporan", get(reports::show))
        .route("/console/laporan.csv", get(reports::table))
        .route("/console/laporan/agih", post(reports::reassign))
        .route(
            "/console/kalendar",
            get(calendar::show).post(calendar::save),
        )
        .route("/console/kalendar/ical", post(calendar::import))
        .layer(DefaultBodyLimit::max(MAX_FORM))
        .route_layer(from_fn_with_state(state, access::guard))
}
