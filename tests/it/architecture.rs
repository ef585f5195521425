//! A single crate has no fence between its modules but this one.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Who may import whom (docs/architecture.md). `clock` is free for all.
const ALLOWED: [(&str, &[&str]); 36] = [
    ("main", &["cli"]),
    (
        "app",
        &[
            "agent",
            "announcement",
            "bell",
            "config",
            "conversation",
            "edition",
            "identity",
            "incident",
            "key_ring",
            "knowledge",
            "mail",
            "news",
            "outbox",
            "portal",
            "question",
            "rekey",
            "retention",
            "rights",
            "secret",
            "storage",
            "telegram",
            "web",
            "worker",
        ],
    ),
    (
        "cli",
        &[
            "agent",
            "app",
            "audit",
            "backup",
            "bell",
            "config",
            "conversation",
            "doctor",
            "key_ring",
            "knowledge",
            "mail",
            "portal",
            "rekey",
            "retention",
            "rights",
            "secret",
            "storage",
            "ticket",
            "trace",
        ],
    ),
    (
        "config",
        &[
            "identity",
            "incident",
            "knowledge",
            "mail",
            "retention",
            "secret",
            "trace",
            "worker",
        ],
    ),
    (
        "web",
        &[
            "agent",
            "announcement",
            "audit",
            "calendar",
            "config",
            "conversation",
            "csv",
            "edition",
            "identity",
            "incident",
            "knowledge",
            "mail",
            "picture",
            "portal",
            "question",
            "redact",
            "rights",
            "secret",
            "storage",
            "telegram",
            "ticket",
            "trace",
        ],
    ),
    (
        "telegram",
        &[
            "bell",
            "config",
            "conversation",
            "knowledge",
            "outbox",
            "picture",
            "redact",
            "secret",
            "storage",
            "trace",
        ],
    ),
    (
        "worker",
        &[
            "audit",
            "bell",
            "conversation",
            "http_client",
            "identity",
            "incident",
            "knowledge",
            "mail",
            "outbox",
            "portal",
            "redact",
            "storage",
            "trace",
        ],
    ),
    ("news", &["conversation", "storage"]),
    (
        "conversation",
        &[
            "audit",
            "bell",
            "identity",
            "incident",
            "knowledge",
            "mail",
            "outbox",
            "picture",
            "portal",
            "redact",
            "secret",
            "storage",
            "ticket",
            "trace",
        ],
    ),
    (
        "ticket",
        &["audit", "calendar", "outbox", "secret", "storage"],
    ),
    ("announcement", &["audit", "redact", "storage"]),
    ("incident", &["storage"]),
    ("agent", &["audit", "identity", "secret", "storage"]),
    ("edition", &["audit", "knowledge", "storage"]),
    ("calendar", &[]),
    ("csv", &[]),
    ("picture", &[]),
    (
        "identity",
        &["audit", "key_ring", "outbox", "secret", "storage"],
    ),
    ("portal", &["http_client", "identity", "secret"]),
    ("mail", &["identity", "knowledge", "outbox", "portal"]),
    ("outbox", &["bell", "secret", "storage"]),
    ("audit", &["secret", "storage"]),
    (
        "backup",
        &["audit", "key_ring", "outbox", "secret", "storage"],
    ),
    ("key_ring", &["secret", "storage"]),
    ("bell", &[]),
    ("http_client", &[]),
    ("secret", &[]),
    ("knowledge", &["calendar", "trace"]),
    ("question", &["knowledge", "redact", "storage"]),
    ("redact", &[]),
    ("rekey", &["outbox", "secret", "storage"]),
    (
        "doctor",
        &[
            "config",
            "http_client",
            "knowledge",
            "mail",
            "portal",
            "secret",
            "storage",
            "telegram",
            "trace",
        ],
    ),
    ("retention", &["audit", "storage"]),
    (
        "rights",
        &[
            "audit",
            "identity",
            "redact",
            "retention",
            "secret",
            "storage",
            "ticket",
        ],
    ),
    ("storage", &[]),
    ("trace", &["http_client", "secret"]),
];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs")
            && path.file_name().is_some_and(|name| name != "tests.rs")
        {
            found.push(path);
        }
    }
}

fn module(path: &Path) -> String {
    let inside = path.strip_prefix("src").unwrap();
    let first = inside.components().next().unwrap();
    first
        .as_os_str()
        .to_str()
        .unwrap()
        .trim_end_matches(".rs")
        .to_owned()
}

/// The program's own modules that a file names, tests left out.
fn imports(text: &str) -> BTreeSet<String> {
    let code = text.split("#[cfg(test)]").next().unwrap();
    code.match_indices("crate::")
        .map(|(at, prefix)| {
            let rest = &code[at + prefix.len()..];
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_');
            rest[..end.unwrap_or(rest.len())].to_owned()
        })
        .collect()
}

#[test]
fn modules_import_only_what_they_may() {
    let mut files = Vec::new();
    sources(Path::new("src"), &mut files);
    assert!(files.len() > 30);
    for path in files {
        let own = module(&path);
        if own == "lib" || own == "clock" {
            continue;
        }
        let allowed = ALLOWED.iter().find(|(name, _)| *name == own);
        let (_, allowed) = allowed.unwrap_or_else(|| panic!("{own} is not in the table"));
        for import in imports(&fs::read_to_string(&path).unwrap()) {
            let fine = import == own || import == "clock" || allowed.contains(&import.as_str());
            assert!(fine, "{} imports {import}", path.display());
        }
    }
}

#[test]
fn the_engine_and_the_storage_name_no_channel() {
    for (folder, banned) in [
        (
            "src/conversation",
            &["axum", "teloxide", "lettre", "StatusCode"][..],
        ),
        (
            "src/storage",
            &["axum", "teloxide", "lettre", "tantivy"][..],
        ),
        (
            "src/knowledge",
            &["axum", "teloxide", "sqlx", "reqwest"][..],
        ),
    ] {
        let mut files = Vec::new();
        sources(Path::new(folder), &mut files);
        for path in files {
            let text = fs::read_to_string(&path).unwrap();
            for name in banned {
                assert!(!text.contains(name), "{} names {name}", path.display());
            }
        }
    }
}

#[test]
fn ac_79_sql_stands_in_storage_only_and_is_never_put_together() {
    let mut files = Vec::new();
    sources(Path::new("src"), &mut files);
    for path in files {
        let text = fs::read_to_string(&path).unwrap();
        let in_storage = path.starts_with("src/storage");
        assert!(
            in_storage || !text.contains("sqlx::query"),
            "{}",
            path.display()
        );
        assert!(!text.contains("AssertSqlSafe"), "{}", path.display());
        // A query begins with its text, or with a constant or macro that stands for one.
        for (place, _) in text.match_indices("sqlx::query") {
            let rest = &text[place..];
            let given = rest
                .split_once('(')
                .map_or("", |(_, given)| given)
                .trim_start();
            let fixed = given.starts_with('"')
                || given.starts_with("columns!")
                || given.starts_with(|c: char| c.is_ascii_uppercase());
            assert!(
                fixed,
                "{}: {}",
                path.display(),
                &given[..given.len().min(40)]
            );
        }
    }
}

#[test]
fn ac_90_patterns_are_written_in_the_program_and_take_linear_time() {
    let manifest = fs::read_to_string("Cargo.toml").unwrap();
    for other in ["fancy-regex", "pcre2", "onig"] {
        assert!(!manifest.contains(other), "{other} can take for ever");
    }
    let mut patterns = 0;
    let mut files = Vec::new();
    sources(Path::new("src"), &mut files);
    for path in files {
        let text = fs::read_to_string(&path).unwrap();
        for after in text.split("Regex::new(").skip(1) {
            let after = after.trim_start();
            let literal = after.starts_with("r\"")
                || after.starts_with("r#\"")
                || after.starts_with('"')
                || after.starts_with("concat!(");
            assert!(literal, "{}: {after:.60}", path.display());
            patterns += 1;
        }
    }
    assert!(patterns > 3);
}
