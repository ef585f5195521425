//! What is counted from the beginning: a counter that is not there cannot be told from one that counted nothing, and no
//! alarm can be set on it.

/// What is counted by what came of it.
const BY_OUTCOME: [(&str, &[&str]); 7] = [
    (
        "tanya_mails_total",
        &[
            "sent",
            "unreached",
            "not-now",
            "lost",
            "disagreed",
            "refused",
            "unmade",
        ],
    ),
    (
        "tanya_portal_requests_total",
        &[
            "answered", "unknown", "refused", "down", "lost", "garbled", "paused",
        ],
    ),
    (
        "tanya_telegram_deliveries_total",
        &["sent", "again", "blocked", "dead"],
    ),
    ("tanya_console_sign_ins_total", &["in", "wrong", "locked"]),
    ("tanya_code_requests_total", &["issued", "withheld"]),
    ("tanya_code_guesses_total", &["right", "wrong", "locked"]),
    ("tanya_spans_total", &["sent", "lost", "dropped"]),
];

/// Shows every counter that alarms and pictures look at, at zero.
pub fn begin() {
    for channel in ["web", "telegram", "terminal"] {
        for outcome in ["answer", "clarify", "fallback", "choice"] {
            metrics::counter!("tanya_turns_total", "channel" => channel, "outcome" => outcome)
                .increment(0);
        }
    }
    for (name, outcomes) in BY_OUTCOME {
        for outcome in outcomes {
            metrics::counter!(name, "outcome" => *outcome).increment(0);
        }
    }
    metrics::gauge!("tanya_telegram_conflict").set(0.0);
    for name in [
        "tanya_breaker_total",
        "tanya_broken_turns_total",
        "tanya_connections_refused_total",
        "tanya_portal_breaker_total",
        "tanya_telegram_pauses_total",
    ] {
        metrics::counter!(name).increment(0);
    }
    for name in [
        "tanya_connections",
        "tanya_streams",
        "tanya_portal_breaker_open",
    ] {
        metrics::gauge!(name).increment(0.0);
    }
}
