//! Somebody at a terminal.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

fn tanya(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tanya"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("TANYA_")) {
        command.env_remove(name);
    }
    command
        .current_dir(folder)
        .args(arguments)
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn a_question_is_answered_from_the_binary_alone() {
    let folder = tempfile::tempdir().unwrap();
    let output = tanya(
        folder.path(),
        &["ask", "lupa", "kata", "laluan", "emel", "gmail"],
    );
    assert_eq!(output.status.code(), Some(0));
    insta::assert_snapshot!(text(&output.stdout));

    let output = tanya(
        folder.path(),
        &[
            "ask",
            "--json",
            "--lang",
            "en",
            "slip gaji hilang tahun 2020",
        ],
    );
    let finding: Value = serde_json::from_slice(&output.stdout).expect("one JSON document");
    assert_eq!(finding["lang"], "en");
    assert_eq!(finding["target"], "portal-tempoh-simpanan");
}

#[test]
fn wrong_usage_is_told_apart_from_failure() {
    let folder = tempfile::tempdir().unwrap();
    for wrong in [
        &["ask"][..],
        &["ask", "  "],
        &["dance"],
        &["eval", "--queries", "none.jsonl"],
        &["check", "--knowledge", "nowhere"],
        &["--config", "none.toml", "ask", "x"],
        &["serve"],
    ] {
        let output = tanya(folder.path(), wrong);
        assert_eq!(
            output.status.code(),
            Some(2),
            "{wrong:?}: {}",
            text(&output.stderr)
        );
        assert!(output.stdout.is_empty(), "{wrong:?}");
        assert!(!output.stderr.is_empty(), "{wrong:?}");
    }
}

#[test]
fn the_demo_refuses_an_address_that_others_can_reach() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("tanya.toml"),
        "http_addr = \"0.0.0.0:0\"\n",
    )
    .unwrap();
    let output = tanya(folder.path(), &["demo"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("--public"));
}

#[test]
fn bad_knowledge_is_refused_by_check_and_by_demo() {
    let folder = tempfile::tempdir().unwrap();
    let knowledge = folder.path().join("knowledge");
    fs::create_dir(&knowledge).unwrap();
    fs::write(
        knowledge.join("faq.yaml"),
        "entries:\n  - id: x\n    question: y\n",
    )
    .unwrap();
    let output = tanya(folder.path(), &["check"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        text(&output.stdout).contains("faq.yaml:3:5: error: missing field `answer`"),
        "{}",
        text(&output.stdout)
    );
    let output = tanya(folder.path(), &["check", "--json"]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["problems"][0]["severity"], "error");
    let output = tanya(folder.path(), &["demo"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("the knowledge is refused"));

    let shipped = tanya(Path::new(env!("CARGO_MANIFEST_DIR")), &["check"]);
    assert_eq!(shipped.status.code(), Some(0), "{}", text(&shipped.stdout));
}

#[test]
fn the_evaluation_holds_the_recorded_floors_whoever_asks_and_however() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let data = root.join("tests/data");
    for (questions, floor) in [
        ("visitors.jsonl", "floor_visitors.json"),
        ("dev_dialogues.jsonl", "floor_dev_dialogues.json"),
        ("visitors_dialogues.jsonl", "floor_visitors_dialogues.json"),
    ] {
        let questions = data.join(questions);
        let floor = data.join(floor);
        let arguments = [
            "eval",
            "--by",
            "lang,noise",
            "--queries",
            questions.to_str().unwrap(),
            "--floor",
            floor.to_str().unwrap(),
        ];
        let output = tanya(root, &arguments);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    }
}

#[test]
fn the_evaluation_measures_predicts_and_holds_the_floor() {
    let folder = tempfile::tempdir().unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let data = root.join("tests/data");
    let queries = data.join("dev.jsonl");
    let floor = data.join("floor.json");
    let predictions = folder.path().join("out.jsonl");
    let arguments = [
        "eval",
        "--json",
        "--by",
        "lang,noise",
        "--queries",
        queries.to_str().unwrap(),
        "--floor",
        floor.to_str().unwrap(),
        "--predictions",
        predictions.to_str().unwrap(),
    ];
    let output = tanya(folder.path(), &arguments);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(summary["by"]["lang"]["en"]["in_scope"].as_u64().unwrap() > 10);
    let predicted = fs::read_to_string(&predictions).unwrap();
    assert_eq!(predicted.lines().count(), 278);
    let first: Value = serde_json::from_str(predicted.lines().next().unwrap()).unwrap();
    assert!(first["candidates"].is_array() && first["micros"].is_number());

    let unreachable = folder.path().join("floor.json");
    fs::write(&unreachable, r#"{"top1": 1.01, "harm": -0.1}"#).unwrap();
    let dialogues = data.join("dev_dialogues.jsonl");
    let queries = [
        &arguments[4..6],
        &["--floor", unreachable.to_str().unwrap()],
    ]
    .concat();
    let output = tanya(folder.path(), &[&["eval"], &queries[..]].concat());
    assert_eq!(output.status.code(), Some(1));
    let said = text(&output.stderr);
    assert!(said.contains("top1") && said.contains("harm"), "{said}");
    let output = tanya(
        folder.path(),
        &["eval", "--json", "--queries", dialogues.to_str().unwrap()],
    );
    let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(summary["turns"].as_u64().unwrap() > 30);
}

#[test]
fn a_chat_on_the_terminal_is_led_like_any_other() {
    let folder = tempfile::tempdir().unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_tanya"))
        .current_dir(folder.path())
        .env("TANYA_DATABASE_URL", "sqlite://chat.db")
        .arg("chat")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let typed = "lupa kata laluan portal\n/bantuan\n3\n/padam\nYa, padamkan\nmasih ada?\n";
    child
        .stdin
        .take()
        .unwrap()
        .write_all(typed.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let said = String::from_utf8(output.stdout).unwrap();
    for expected in [
        "Assalamualaikum",
        "1. Buka Portal iSPEKS",
        "/padam – Padamkan rekod perbualan",
        "Slip gaji bulanan",
        "telah dipadamkan",
    ] {
        assert!(said.contains(expected), "{expected:?} is not in {said}");
    }
}
