//! The portal simulator: a stand-in for the treasury's portal that speaks its interface, with invented people,
//! documents and mails, and with faults to switch on. It never runs in production and touches no real record.

mod amount;
mod api;
mod demo;
mod document;
mod effect;
mod extract;
mod fault;
mod link;
mod mail;
mod page;
mod paper;
mod password;
mod password_page;
mod people;
mod period;
mod person;
mod problem;
mod records;
mod sheet;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use sha2::{Digest, Sha256};

use crate::clock::Clock;
use fault::Faults;
use records::{Circumstances, Records};

pub use mail::SimulatedMail;

/// The sample portal. Clones are the same portal.
#[derive(Clone)]
pub struct Simulator {
    inner: Arc<Inner>,
}

struct Inner {
    token_hash: [u8; 32],
    base_url: String,
    clock: Clock,
    faults: Mutex<Faults>,
    records: Mutex<Records>,
}

impl Simulator {
    /// A portal that takes `token` and is reached at `base_url`, which has no slash at its end.
    pub fn new(token: &str, base_url: &str, clock: Clock) -> Self {
        let records = Records::new(clock.today());
        let inner = Inner {
            token_hash: hash(token),
            base_url: base_url.to_owned(),
            clock,
            faults: Mutex::default(),
            records: Mutex::new(records),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// Everything it serves: `/v1`, the documents, the pages, and what testers need.
    pub fn router(&self) -> Router {
        Router::new()
            .nest("/v1", api::router(self))
            .merge(document::router())
            .merge(password_page::router())
            .merge(page::router())
            .merge(demo::router())
            .fallback(page::not_found)
            .layer(DefaultBodyLimit::max(api::BODY_LIMIT))
            .layer(middleware::map_response(page::protect))
            .with_state(self.clone())
    }

    /// What "the portal" mailed, oldest first, at most the last 500.
    pub fn mails(&self) -> Vec<SimulatedMail> {
        self.records().mails()
    }

    fn faults(&self) -> Faults {
        let faults = self.inner.faults.lock();
        faults.unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_faults(&self, faults: Faults) {
        let current = self.inner.faults.lock();
        *current.unwrap_or_else(PoisonError::into_inner) = faults;
    }

    fn records(&self) -> MutexGuard<'_, Records> {
        let records = self.inner.records.lock();
        records.unwrap_or_else(PoisonError::into_inner)
    }

    fn clock(&self) -> &Clock {
        &self.inner.clock
    }

    fn token_hash(&self) -> &[u8; 32] {
        &self.inner.token_hash
    }

    fn circumstances(&self) -> Circumstances<'_> {
        Circumstances {
            now: self.inner.clock.now(),
            today: self.inner.clock.today(),
            base_url: &self.inner.base_url,
        }
    }
}

/// Of one length whatever is hashed, so that comparing tells nothing about it.
fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token).into()
}
