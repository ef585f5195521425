//! Files that people sent, as getFile names them and as they are then served.

use std::collections::BTreeMap;

use axum::response::{IntoResponse, Response};
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{BotApi, Outcome, Refusal};

/// The largest file that a bot is given, in bytes.
const LARGEST: u64 = 20 * 1024 * 1024;

/// What is served where a file is said to be.
#[derive(Clone, Debug)]
pub enum Served {
    Bytes(Vec<u8>),
    /// Leads elsewhere.
    Redirect(String),
}

/// A file, as it is named and as it is served.
#[derive(Clone, Debug)]
pub struct File {
    pub path: String,
    /// What getFile says of its size, if anything.
    pub size: Option<u64>,
    pub served: Served,
}

/// All files, by id, and which paths were fetched.
#[derive(Default)]
pub struct Files {
    pub files: BTreeMap<String, File>,
    pub fetched: Vec<String>,
}

impl Files {
    pub(super) fn get_file(&self, params: &Value) -> Outcome {
        let id = params["file_id"].as_str().unwrap_or_default();
        let Some(file) = self.files.get(id) else {
            return Err(Refusal::bad(
                "wrong file_id or the file is temporarily unavailable",
            ));
        };
        if file.size.is_some_and(|size| size > LARGEST) {
            return Err(Refusal::bad("file is too big"));
        }
        let mut answer =
            json!({"file_id": id, "file_unique_id": format!("u{id}"), "file_path": file.path});
        if let Some(size) = file.size {
            answer["file_size"] = json!(size);
        }
        Ok(answer)
    }

    /// What a path leads to.
    pub fn serve(&mut self, path: &str) -> Response {
        self.fetched.push(path.to_owned());
        let found = self.files.values().find(|file| file.path == path);
        match found.map(|file| file.served.clone()) {
            Some(Served::Bytes(bytes)) => bytes.into_response(),
            Some(Served::Redirect(to)) => (StatusCode::FOUND, [("location", to)]).into_response(),
            None => StatusCode::NOT_FOUND.into_response(),
        }
    }
}

impl BotApi {
    /// Keeps a file under an id.
    pub fn keep_file(&self, id: &str, path: &str, served: Served) {
        let size = match &served {
            Served::Bytes(bytes) => Some(bytes.len() as u64),
            Served::Redirect(_) => None,
        };
        self.keep_file_of(id, path, size, served);
    }

    /// Keeps a file under an id, which is said to have so many bytes.
    pub fn keep_file_of(&self, id: &str, path: &str, size: Option<u64>, served: Served) {
        let file = File {
            path: path.to_owned(),
            size,
            served,
        };
        self.telegram().files.files.insert(id.to_owned(), file);
    }

    /// The paths that were fetched, in order.
    pub fn fetched(&self) -> Vec<String> {
        self.telegram().files.fetched.clone()
    }
}
