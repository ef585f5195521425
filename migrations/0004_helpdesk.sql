-- People behind the bot: tickets that are worked, who works them, and what happened to each.

-- `holder` is the agent who talks to the person now: the bot is silent. `seen_at` is when their chat was last seen open.
ALTER TABLE conversation ADD COLUMN holder TEXT;
ALTER TABLE conversation ADD COLUMN seen_at BIGINT NOT NULL DEFAULT 0;

-- `requester` names a person who was proved, and tells nothing; `person` and `name` are sealed. `unread_at` is when the person last said
-- something that no officer has looked at. Times by which something is due are computed on the office calendar.
ALTER TABLE ticket ADD COLUMN channel TEXT NOT NULL DEFAULT 'web'
    CHECK (channel IN ('web', 'telegram', 'terminal', 'counter', 'phone'));
ALTER TABLE ticket ADD COLUMN title TEXT NOT NULL DEFAULT '';
ALTER TABLE ticket ADD COLUMN entry TEXT;
ALTER TABLE ticket ADD COLUMN department TEXT;
ALTER TABLE ticket ADD COLUMN requester TEXT;
ALTER TABLE ticket ADD COLUMN person TEXT;
ALTER TABLE ticket ADD COLUMN name TEXT;
ALTER TABLE ticket ADD COLUMN priority TEXT NOT NULL DEFAULT 'normal'
    CHECK (priority IN ('low', 'normal', 'high', 'urgent'));
ALTER TABLE ticket ADD COLUMN assignee TEXT;
ALTER TABLE ticket ADD COLUMN live_at BIGINT;
ALTER TABLE ticket ADD COLUMN acknowledge_by BIGINT;
ALTER TABLE ticket ADD COLUMN answer_by BIGINT;
ALTER TABLE ticket ADD COLUMN acknowledged_at BIGINT;
ALTER TABLE ticket ADD COLUMN answered_at BIGINT;
ALTER TABLE ticket ADD COLUMN closed_at BIGINT;
ALTER TABLE ticket ADD COLUMN untaken_at BIGINT;
ALTER TABLE ticket ADD COLUMN escalated_at BIGINT;
ALTER TABLE ticket ADD COLUMN merged_into TEXT;
ALTER TABLE ticket ADD COLUMN unread_at BIGINT;
ALTER TABLE ticket ADD COLUMN version BIGINT NOT NULL DEFAULT 1;

CREATE INDEX ticket_status ON ticket (status, updated_at);
CREATE INDEX ticket_queue ON ticket (queue, status, updated_at);
CREATE INDEX ticket_assignee ON ticket (assignee, status, updated_at);
CREATE INDEX ticket_requester ON ticket (requester);
CREATE INDEX ticket_created_at ON ticket (created_at);
CREATE INDEX ticket_answer_by ON ticket (answer_by) WHERE status IN ('open', 'pending') AND escalated_at IS NULL;
CREATE INDEX ticket_waiting ON ticket (live_at) WHERE live_at IS NOT NULL;

-- What happened to a ticket, in order. Notes are for officers only. `agent` is empty where the program or the person did it.
CREATE TABLE ticket_event (
    id     TEXT   NOT NULL PRIMARY KEY,
    number TEXT   NOT NULL,
    at     BIGINT NOT NULL,
    agent  TEXT   NOT NULL,
    kind   TEXT   NOT NULL,
    text   TEXT   NOT NULL
);

CREATE INDEX ticket_event_number ON ticket_event (number, id);

-- Words of names and titles by which a ticket is found. Words of names are HMACs: they stand nowhere as they are.
CREATE TABLE ticket_word (
    word   TEXT NOT NULL,
    number TEXT NOT NULL,
    PRIMARY KEY (word, number)
);

CREATE INDEX ticket_word_number ON ticket_word (number);

-- Who works in the console. Passwords and recovery codes are hashes, the TOTP secret is sealed.
CREATE TABLE agent (
    id           TEXT   NOT NULL PRIMARY KEY,
    username     TEXT   NOT NULL UNIQUE,
    name         TEXT   NOT NULL,
    role         TEXT   NOT NULL CHECK (role IN ('officer', 'it', 'editor', 'supervisor', 'auditor', 'admin')),
    language     TEXT   NOT NULL CHECK (language IN ('ms', 'en')),
    password     TEXT,
    totp         TEXT,
    totp_step    BIGINT NOT NULL DEFAULT 0,
    recovery     TEXT   NOT NULL DEFAULT '[]',
    invite_hash  TEXT   UNIQUE,
    invite_until BIGINT,
    present_at   BIGINT,
    created_at   BIGINT NOT NULL,
    disabled_at  BIGINT
);

-- A browser's sign-in: `step` is `code` until the second factor was given.
CREATE TABLE agent_session (
    token_hash TEXT   NOT NULL PRIMARY KEY,
    agent_id   TEXT   NOT NULL,
    step       TEXT   NOT NULL CHECK (step IN ('code', 'in')),
    created_at BIGINT NOT NULL,
    seen_at    BIGINT NOT NULL
);

CREATE INDEX agent_session_agent ON agent_session (agent_id);
CREATE INDEX agent_session_seen_at ON agent_session (seen_at);

-- Who looks at a ticket now.
CREATE TABLE ticket_view (
    number   TEXT   NOT NULL,
    agent_id TEXT   NOT NULL,
    seen_at  BIGINT NOT NULL,
    PRIMARY KEY (number, agent_id)
);

-- Answers that are written once, with fields.
CREATE TABLE canned_reply (
    id         TEXT   NOT NULL PRIMARY KEY,
    title      TEXT   NOT NULL,
    text_ms    TEXT   NOT NULL,
    text_en    TEXT   NOT NULL,
    updated_at BIGINT NOT NULL
);

-- Knowledge files as they were edited in the console; every process takes up the latest edition of each file, as long as
-- the file itself is still the one that the edition was made from: `base` is its SHA-256.
CREATE TABLE edition (
    file       TEXT   NOT NULL,
    number     BIGINT NOT NULL,
    base       TEXT   NOT NULL,
    text       TEXT   NOT NULL,
    author     TEXT   NOT NULL,
    reason     TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (file, number)
);
