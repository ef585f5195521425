-- Telegram and the terminal beside the web. What came in and what must go out are rows before anything is done.
-- SQLite cannot alter a CHECK: the tables are made anew and their rows carried over.

ALTER TABLE conversation RENAME TO conversation_1;
ALTER TABLE message RENAME TO message_1;
ALTER TABLE feedback RENAME TO feedback_1;
DROP INDEX conversation_active_at;
DROP INDEX message_client_id;

-- `contact` is who it is on a channel that tells; the web does not. `calm_at` bounds how fast one may write.
CREATE TABLE conversation (
    id             TEXT   NOT NULL PRIMARY KEY,
    channel        TEXT   NOT NULL CHECK (channel IN ('web', 'telegram', 'terminal')),
    contact        TEXT,
    token_hash     TEXT   UNIQUE,
    language       TEXT   NOT NULL CHECK (language IN ('ms', 'en')),
    state          TEXT   NOT NULL,
    version        BIGINT NOT NULL,
    last_seq       BIGINT NOT NULL,
    calm_at        BIGINT NOT NULL,
    created_at     BIGINT NOT NULL,
    active_at      BIGINT NOT NULL,
    unreachable_at BIGINT,
    ended_at       BIGINT
);

INSERT INTO conversation
    (id, channel, token_hash, language, state, version, last_seq, calm_at, created_at, active_at, ended_at)
SELECT id, channel, token_hash, language, state, version, last_seq, 0, created_at, active_at, ended_at
FROM conversation_1;

CREATE INDEX conversation_active_at ON conversation (active_at);
CREATE UNIQUE INDEX conversation_contact ON conversation (channel, contact) WHERE ended_at IS NULL;

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

INSERT INTO message
    (conversation_id, seq, sender, client_id, reply_to, body, target, outcome, confidence_ppm, created_at)
SELECT conversation_id, seq, sender, client_id, reply_to, body, target, outcome, confidence_ppm, created_at
FROM message_1;

CREATE UNIQUE INDEX message_client_id ON message (conversation_id, client_id);
CREATE INDEX message_created_at ON message (created_at);

CREATE TABLE feedback (
    conversation_id TEXT   NOT NULL,
    seq             BIGINT NOT NULL,
    vote            TEXT   NOT NULL CHECK (vote IN ('helpful', 'unhelpful')),
    comment         TEXT,
    created_at      BIGINT NOT NULL,
    PRIMARY KEY (conversation_id, seq),
    FOREIGN KEY (conversation_id, seq) REFERENCES message (conversation_id, seq)
);

INSERT INTO feedback (conversation_id, seq, vote, comment, created_at)
SELECT conversation_id, seq, vote, comment, created_at FROM feedback_1;

DROP TABLE feedback_1;
DROP TABLE message_1;
DROP TABLE conversation_1;

-- What a channel brought, committed before it is acknowledged: sealed, and wiped in the transaction that settles it.
-- `number` is the channel's own, the key; those of one lane are settled in its order.
CREATE TABLE inbound (
    source      TEXT   NOT NULL,
    number      BIGINT NOT NULL,
    lane        TEXT   NOT NULL,
    sealed      TEXT,
    attempts    BIGINT NOT NULL,
    received_at BIGINT NOT NULL,
    due_at      BIGINT NOT NULL,
    leased      BIGINT NOT NULL CHECK (leased IN (0, 1)),
    settled_at  BIGINT,
    outcome     TEXT   CHECK (outcome IN ('handled', 'ignored', 'unreadable', 'failed')),
    PRIMARY KEY (source, number)
);

CREATE INDEX inbound_waiting ON inbound (source, lane, number) WHERE settled_at IS NULL;
CREATE INDEX inbound_due ON inbound (source, due_at, number) WHERE settled_at IS NULL;
CREATE INDEX inbound_received_at ON inbound (received_at);

-- What must go out, written with the decision to say it. Its id stays the same over all tries. It carries a message of
-- a transcript, named by conversation and seq, or a payload of its own, which is wiped when it is done.
-- `parts` counts the pieces of a long message that have gone already.
CREATE TABLE outbox (
    id              TEXT   NOT NULL PRIMARY KEY,
    carrier         TEXT   NOT NULL,
    lane            TEXT   NOT NULL,
    conversation_id TEXT   NOT NULL,
    seq             BIGINT NOT NULL,
    payload         TEXT,
    parts           BIGINT NOT NULL,
    attempts        BIGINT NOT NULL,
    created_at      BIGINT NOT NULL,
    due_at          BIGINT NOT NULL,
    done_at         BIGINT,
    outcome         TEXT   CHECK (outcome IN ('sent', 'blocked', 'dead'))
);

CREATE INDEX outbox_waiting ON outbox (carrier, lane, conversation_id, seq, id) WHERE done_at IS NULL;
CREATE INDEX outbox_due ON outbox (carrier, due_at, id) WHERE done_at IS NULL;
CREATE INDEX outbox_created_at ON outbox (created_at);
CREATE INDEX outbox_dead ON outbox (carrier) WHERE outcome = 'dead';

-- How fast something may be done, over all processes. Keys never hold an address or a number as it is.
CREATE TABLE pace (
    key          TEXT   NOT NULL PRIMARY KEY,
    free_at      BIGINT NOT NULL,
    paused_until BIGINT NOT NULL,
    reached_at   BIGINT NOT NULL
);

-- What only one process may do at a time.
CREATE TABLE lease (
    name    TEXT   NOT NULL PRIMARY KEY,
    holder  TEXT   NOT NULL,
    until   BIGINT NOT NULL
);
