//! The officers' console: pages made on the server, forms that work without scripts. Who may do what stands in one
//! table; what is not in it is refused.

mod access;
mod account;
mod agents;
mod announcements;
mod audit;
mod calendar;
mod canned;
mod counter;
mod door;
mod file;
mod holds;
mod incidents;
mod incidents_view;
mod invitation;
mod live;
mod page;
mod proposals;
mod questions;
mod queue;
mod reports;
mod rights;
mod rights_view;
mod ticket;
mod versions;
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
            get(invitation::show).post(invitation::enrol),
        )
        .route("/console/keluar", post(door::sign_out))
        .route("/console/bahasa", post(door::speak))
        .route("/console/kehadiran", post(door::presence))
        .route("/console/akaun", get(account::show))
        .route("/console/akaun/kata-laluan", post(account::change_password))
        .route(
            "/console/akaun/kod-pemulihan",
            post(account::renew_recovery_codes),
        )
        .route(
            "/console/akaun/keluar-semua",
            post(account::sign_out_everywhere),
        )
        .route("/console/langsung", get(live::follow))
        .route("/console/baharu", get(counter::form).post(counter::open))
        .route("/console/tiket/{number}", get(ticket::show))
        .route("/console/tiket/{number}/gambar/{id}", get(ticket::download))
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
        .route("/console/soalan", get(questions::show))
        .route("/console/soalan/cadang", post(questions::propose))
        .route("/console/soalan/abai", post(questions::dismiss))
        .route("/console/soalan/pulih", post(questions::restore))
        .route("/console/cadangan", get(proposals::list))
        .route("/console/cadangan/{id}", get(proposals::patch))
        .route("/console/cadangan/{id}/semak", post(proposals::check))
        .route("/console/cadangan/{id}/tarik", post(proposals::withdraw))
        .route("/console/cadangan/{id}/lulus", post(proposals::approve))
        .route("/console/cadangan/{id}/tolak", post(proposals::refuse))
        .route("/console/versi", get(versions::list))
        .route("/console/versi/{id}", get(versions::patch))
        .route("/console/versi/kembali", post(versions::roll_back))
        .route("/console/audit", get(audit::show))
        .route("/console/audit.csv", get(audit::table))
        .route("/console/audit/semak", post(audit::verify))
        .route("/console/hak", get(rights::show).post(rights::file))
        .route("/console/hak/{id}/lulus", post(rights::approve))
        .route("/console/hak/{id}/tolak", post(rights::refuse))
        .route("/console/hak/{id}/tarik", post(rights::withdraw))
        .route("/console/hak/{id}/salinan", post(rights::take))
        .route("/console/hak/tahan", post(holds::place))
        .route("/console/hak/tahan/{id}/tamat", post(holds::lift))
        .route("/console/laporan", get(reports::show))
        .route("/console/laporan.csv", get(reports::table))
        .route("/console/laporan/agih", post(reports::reassign))
        .route("/console/insiden", get(incidents::show))
        .route("/console/insiden/{id}/sahkan", post(incidents::confirm))
        .route("/console/insiden/{id}/tolak", post(incidents::dismiss))
        .route("/console/insiden/{id}/tutup", post(incidents::close))
        .route("/console/pengumuman", post(announcements::write))
        .route("/console/pengumuman/{id}", get(announcements::preview))
        .route("/console/pengumuman/{id}/hantar", post(announcements::send))
        .route(
            "/console/pengumuman/{id}/tarik",
            post(announcements::withdraw),
        )
        .route(
            "/console/kalendar",
            get(calendar::show).post(calendar::save),
        )
        .route("/console/kalendar/ical", post(calendar::import))
        .layer(DefaultBodyLimit::max(MAX_FORM))
        .route_layer(from_fn_with_state(state, access::guard))
}
