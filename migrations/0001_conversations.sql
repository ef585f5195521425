-- One SQL text for SQLite and PostgreSQL: TEXT and BIGINT only, time in Unix milliseconds, ids as text, JSON as text.

CREATE TABLE conversation (
    id          TEXT   NOT NULL PRIMARY KEY,
    channel     TEXT   NOT NULL CHECK (channel IN ('web')),
    token_hash  TEXT   UNIQUE,
    language    TEXT   NOT NULL CHECK (language IN ('ms', 'en')),
    state       TEXT   NOT NULL,
    version     BIGINT NOT NULL,
    last_seq    BIGINT NOT NULL,
    created_at  BIGINT NOT NULL,
    active_at   BIGINT NOT NULL,
    ended_at    BIGINT
);

CREATE INDEX conversation_active_at ON conversation (active_at);

-- The transcript, redacted before it comes here. A reply names the message that it answers.
CREATE TABLE message (
    conversation_id TEXT   NOT NULL REFERENCES conversation (id),
    seq             BIGINT NOT NULL,
    sender          TEXT   NOT NULL CHECK (sender IN ('user', 'bot', 'officer')),
    client_id       TEXT,
    reply_to        BIGINT,
    body            TEXT   NOT NULL,
    target          TEXT,
    outcome         TEXT   CHECK (outcome IN ('answer', 'clarify', 'fallback')),
    confidence_ppm  BIGINT,
    created_at      BIGINT NOT NULL,
    PRIMARY KEY (conversation_id, seq)
);

CREATE UNIQUE INDEX message_client_id ON message (conversation_id, client_id);

CREATE TABLE feedback (
    conversation_id TEXT   NOT NULL,
    seq             BIGINT NOT NULL,
    vote            TEXT   NOT NULL CHECK (vote IN ('helpful', 'unhelpful')),
    comment         TEXT,
    created_at      BIGINT NOT NULL,
    PRIMARY KEY (conversation_id, seq),
    FOREIGN KEY (conversation_id, seq) REFERENCES message (conversation_id, seq)
);
