//! What a tester turns and reads, without a token: the people, the mails, the faults. For samples only.

use axum::extract::State;
use axum::routing::{get, patch};
use axum::{Json, Router};
use serde::Serialize;

use super::Simulator;
use super::extract::{At, Body};
use super::fault::Faults;
use super::mail::SimulatedMail;
use super::person::{Change, Delivery, Person};
use super::problem::Code;

/// A person with what the interface itself never tells.
#[derive(Serialize)]
struct Listed {
    id_no: &'static str,
    #[serde(flatten)]
    person: Person,
    delivery: Delivery,
    note: &'static str,
}

impl From<&Person> for Listed {
    fn from(person: &Person) -> Self {
        Self {
            id_no: person.id_no,
            delivery: person.delivery(),
            note: person.note,
            person: person.clone(),
        }
    }
}

/// The tester's addresses.
pub fn router() -> Router<Simulator> {
    Router::new()
        .route("/demo/people.json", get(people))
        .route("/demo/mails.json", get(mails))
        .route("/faults", get(show_faults).put(set_faults))
        .route("/people/{ref}", patch(change))
}

async fn people(State(simulator): State<Simulator>) -> Json<Vec<Listed>> {
    let records = simulator.records();
    Json(records.people().iter().map(Listed::from).collect())
}

async fn mails(State(simulator): State<Simulator>) -> Json<Vec<SimulatedMail>> {
    Json(simulator.mails())
}

async fn show_faults(State(simulator): State<Simulator>) -> Json<Faults> {
    Json(simulator.faults())
}

async fn set_faults(
    State(simulator): State<Simulator>,
    Body(faults): Body<Faults>,
) -> Json<Faults> {
    simulator.set_faults(faults.clone());
    Json(faults)
}

async fn change(
    State(simulator): State<Simulator>,
    At(reference): At<String>,
    Body(change): Body<Change>,
) -> Result<Json<Listed>, Code> {
    let mut records = simulator.records();
    let person = records.change(&reference, change)?;
    Ok(Json(Listed::from(person)))
}
