//! Routers in use, by what they were made of: who loads the same questions again, with other sentences, hours or
//! contacts, has the router that is there already.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use sha2::{Digest, Sha256};

use super::router::Router;
use super::source::{self, FileText};

/// What a router was made of, and how it was judged.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct MadeOf {
    digest: [u8; 32],
    /// Whether its own questions were found to lead where they should.
    strict: bool,
}

impl MadeOf {
    /// The files that a router is made of.
    pub(super) fn these(texts: &BTreeMap<String, FileText>, strict: bool) -> Self {
        let mut hasher = Sha256::new();
        for name in [source::FAQ, source::INTENTS, source::LEXICON] {
            let text = texts.get(name).map_or("", |file| file.text.as_str());
            hasher.update(text.len().to_le_bytes());
            hasher.update(text);
        }
        Self {
            digest: hasher.finalize().into(),
            strict,
        }
    }
}

static BUILT: Mutex<Vec<(MadeOf, Weak<Router>)>> = Mutex::new(Vec::new());

/// The router made of these files, while somebody uses it.
pub(super) fn known(made_of: &MadeOf) -> Option<Arc<Router>> {
    let built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    let (_, router) = built.iter().find(|(known, _)| known == made_of)?;
    router.upgrade()
}

/// Remembers a router for as long as somebody uses it.
pub(super) fn keep(made_of: MadeOf, router: Router) -> Arc<Router> {
    let router = Arc::new(router);
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    built.retain(|(known, router)| *known != made_of && router.strong_count() > 0);
    built.push((made_of, Arc::downgrade(&router)));
    router
}
