//! The knowledge of a running server: looked at every two seconds and on request, swapped in whole, and never
//! replaced by a bad one.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::problem::Problem;
use super::router::Router;
use super::source::{FileText, Source};
use super::{Edition, Knowledge, LoadOptions, Loaded};
use crate::clock::Clock;

/// How often the files are looked at.
pub const LOOK_EVERY: Duration = Duration::from_secs(2);

/// The knowledge in use, and whether the files have since gone bad.
pub struct LiveKnowledge {
    current: ArcSwap<Knowledge>,
    stale: AtomicBool,
    source: Source,
    options: LoadOptions,
    clock: Clock,
    asked: Notify,
    /// What was edited since the files were written.
    editions: Mutex<Vec<Edition>>,
    /// The last one that was rehearsed: whoever takes it up does not build its router again.
    rehearsed: Mutex<Option<Arc<Router>>>,
    /// The files as they were when they were last read.
    seen: Vec<(String, Option<SystemTime>, u64)>,
}

impl LiveKnowledge {
    /// Loads for the first time; bad knowledge is refused.
    pub fn start(
        source: Source,
        options: LoadOptions,
        clock: Clock,
    ) -> Result<(Arc<Self>, Vec<Problem>), Vec<Problem>> {
        // Before the files are read: what is written meanwhile is seen as a change.
        let seen = source.fingerprint();
        let Loaded {
            knowledge,
            warnings,
        } = Knowledge::load(&source, &options)?;
        let live = Self {
            current: ArcSwap::from_pointee(knowledge),
            stale: AtomicBool::new(false),
            source,
            options,
            clock,
            asked: Notify::new(),
            editions: Mutex::default(),
            rehearsed: Mutex::default(),
            seen,
        };
        Ok((Arc::new(live), warnings))
    }

    /// The knowledge in use. What was taken stays whole while it is held, also over a reload.
    pub fn current(&self) -> Arc<Knowledge> {
        self.current.load_full()
    }

    /// Whether the files were changed and found bad, so that an older knowledge is in use.
    pub fn is_stale(&self) -> bool {
        self.stale.load(Ordering::Relaxed)
    }

    /// The files as they are used now: written, or edited since.
    pub fn texts(&self) -> Result<BTreeMap<String, FileText>, Vec<Problem>> {
        let mut texts = self.source.read()?;
        for edition in self.edited() {
            edition.lay_over(&mut texts);
        }
        Ok(texts)
    }

    /// The files as they are written.
    pub fn written(&self) -> Result<BTreeMap<String, FileText>, Vec<Problem>> {
        self.source.read()
    }

    /// What a knowledge of these editions would be, beside the one in use.
    pub fn rehearse(&self, edition: Edition) -> Result<Knowledge, Vec<Problem>> {
        let mut editions = self.edited();
        editions.retain(|known| known.file != edition.file);
        editions.push(edition);
        let options = LoadOptions {
            today: self.clock.today(),
            editions,
            ..self.options.clone()
        };
        let knowledge = Knowledge::load(&self.source, &options)?.knowledge;
        let mut rehearsed = self
            .rehearsed
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *rehearsed = Some(Arc::clone(&knowledge.router));
        Ok(knowledge)
    }

    /// Takes up what was edited, and has everything read again if that is new.
    pub fn take_up(&self, editions: Vec<Edition>) {
        let mut known = self.editions.lock().unwrap_or_else(PoisonError::into_inner);
        if *known != editions {
            *known = editions;
            self.asked.notify_one();
        }
    }

    fn edited(&self) -> Vec<Edition> {
        let known = self.editions.lock().unwrap_or_else(PoisonError::into_inner);
        known.clone()
    }

    /// Writes a file back into the folder, where there is one that can be written.
    pub fn write_back(&self, file: &str, text: &str) -> std::io::Result<()> {
        let Source::Folder(folder) = &self.source else {
            return Err(std::io::Error::from(std::io::ErrorKind::Unsupported));
        };
        // Whole or not at all.
        let path = folder.join(file);
        let beside = folder.join(format!(".{file}.new"));
        std::fs::write(&beside, text)?;
        std::fs::rename(&beside, &path)
    }

    /// Has the files read again, changed or not.
    pub fn ask_for_reload(&self) {
        self.asked.notify_one();
    }

    /// Watches the files until told to stop.
    pub async fn watch(self: Arc<Self>, stop: CancellationToken) {
        let mut seen = self.seen.clone();
        loop {
            let asked = tokio::select! {
                () = stop.cancelled() => return,
                () = self.asked.notified() => true,
                () = tokio::time::sleep(LOOK_EVERY) => false,
            };
            let now = self.source.fingerprint();
            if asked || now != seen {
                seen = now;
                self.reload().await;
            }
        }
    }

    async fn reload(self: &Arc<Self>) {
        let live = Arc::clone(self);
        let loaded = tokio::task::spawn_blocking(move || {
            let options = LoadOptions {
                today: live.clock.today(),
                editions: live.edited(),
                ..live.options.clone()
            };
            Knowledge::load(&live.source, &options)
        })
        .await;
        match loaded {
            Ok(Ok(Loaded {
                knowledge,
                warnings,
            })) => {
                let entries = knowledge.book().entries.len();
                self.current.store(Arc::new(knowledge));
                *self
                    .rehearsed
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner) = None;
                self.stale.store(false, Ordering::Relaxed);
                tracing::info!(entries, warnings = warnings.len(), "knowledge reloaded");
            }
            Ok(Err(problems)) => {
                self.stale.store(true, Ordering::Relaxed);
                for problem in problems.iter().filter(|p| p.is_error()) {
                    tracing::error!(
                        file = problem.file,
                        line = problem.line,
                        column = problem.column,
                        problem = problem.message,
                        repair = problem.repair,
                        "knowledge refused, the one before stays in use"
                    );
                }
            }
            Err(_) => {
                self.stale.store(true, Ordering::Relaxed);
                tracing::error!("loading the knowledge broke off, the one before stays in use");
            }
        }
    }
}
