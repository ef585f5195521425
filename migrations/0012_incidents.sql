-- Whether the two systems of iSPEKS work, who is told when they do again, and what is announced.

-- What a source said last of a system. `differing` counts sightings in a row that speak against `state`, the first of
-- them at `differs_at`.
CREATE TABLE system_state (
    system     TEXT   NOT NULL CHECK (system IN ('sistem', 'portal')),
    source     TEXT   NOT NULL CHECK (source IN ('status', 'probe')),
    state      TEXT   NOT NULL CHECK (state IN ('unknown', 'up', 'down', 'maintenance')),
    note       TEXT   NOT NULL,
    since      BIGINT NOT NULL,
    checked_at BIGINT NOT NULL,
    differing  BIGINT NOT NULL,
    differs_at BIGINT NOT NULL,
    PRIMARY KEY (system, source)
);

-- A time in which a system did not work; `word` is whose word that is, `seen_at` when it last held.
CREATE TABLE outage (
    id       TEXT   NOT NULL PRIMARY KEY,
    system   TEXT   NOT NULL CHECK (system IN ('sistem', 'portal')),
    state    TEXT   NOT NULL CHECK (state IN ('down', 'maintenance')),
    note     TEXT   NOT NULL,
    word     TEXT   NOT NULL CHECK (word IN ('status', 'probe', 'helpdesk')),
    began_at BIGINT NOT NULL,
    seen_at  BIGINT NOT NULL,
    ended_at BIGINT
);

CREATE UNIQUE INDEX outage_open ON outage (system) WHERE ended_at IS NULL;

-- Chats that are told when it is over.
CREATE TABLE outage_subscription (
    outage_id       TEXT   NOT NULL,
    conversation_id TEXT   NOT NULL,
    created_at      BIGINT NOT NULL,
    settled_at      BIGINT,
    outcome         TEXT   CHECK (outcome IN ('told', 'skipped')),
    PRIMARY KEY (outage_id, conversation_id)
);

CREATE INDEX outage_subscription_waiting ON outage_subscription (outage_id) WHERE settled_at IS NULL;
CREATE INDEX outage_subscription_chat ON outage_subscription (conversation_id);

-- Many people say that a system does not open. One at a time for each system.
CREATE TABLE incident (
    id         TEXT   NOT NULL PRIMARY KEY,
    system     TEXT   NOT NULL CHECK (system IN ('sistem', 'portal')),
    state      TEXT   NOT NULL CHECK (state IN ('suspected', 'confirmed', 'dismissed', 'closed')),
    ticket     TEXT   NOT NULL,
    opened_at  BIGINT NOT NULL,
    decided_by TEXT   NOT NULL,
    decided_at BIGINT,
    closed_by  TEXT   NOT NULL,
    closed_at  BIGINT
);

CREATE UNIQUE INDEX incident_open ON incident (system) WHERE closed_at IS NULL;
CREATE INDEX incident_opened_at ON incident (opened_at);

-- Somebody says that a system does not open. `reporter` and `network` are names that tell nothing; `network` is empty
-- where the channel knows none. `factor` is how many times wider a network is that an office shares.
CREATE TABLE trouble_report (
    id              TEXT   NOT NULL PRIMARY KEY,
    system          TEXT   NOT NULL CHECK (system IN ('sistem', 'portal')),
    conversation_id TEXT   NOT NULL,
    channel         TEXT   NOT NULL,
    reporter        TEXT   NOT NULL,
    network         TEXT   NOT NULL,
    factor          BIGINT NOT NULL,
    department      TEXT   NOT NULL,
    reported_at     BIGINT NOT NULL,
    incident_id     TEXT
);

CREATE INDEX trouble_report_at ON trouble_report (system, reported_at);
CREATE INDEX trouble_report_unheeded ON trouble_report (reported_at) WHERE incident_id IS NULL;
CREATE INDEX trouble_report_incident ON trouble_report (incident_id) WHERE incident_id IS NOT NULL;
CREATE INDEX trouble_report_chat ON trouble_report (conversation_id);

-- Chats that want announcements.
CREATE TABLE announcement_subscription (
    conversation_id TEXT   NOT NULL PRIMARY KEY,
    created_at      BIGINT NOT NULL
);

-- What officers announce. It is a draft until `sent_at`; `banner` says whether chats show it between two moments.
CREATE TABLE announcement (
    id           TEXT   NOT NULL PRIMARY KEY,
    text_ms      TEXT   NOT NULL,
    text_en      TEXT   NOT NULL,
    banner       TEXT   NOT NULL CHECK (banner IN ('yes', 'no')),
    shows_from   BIGINT NOT NULL,
    shows_until  BIGINT NOT NULL,
    author       TEXT   NOT NULL,
    created_at   BIGINT NOT NULL,
    sent_at      BIGINT,
    withdrawn_at BIGINT
);

CREATE INDEX announcement_shows ON announcement (shows_until) WHERE sent_at IS NOT NULL AND withdrawn_at IS NULL;

-- One for each chat that it goes to; `seq` is its message there.
CREATE TABLE announcement_delivery (
    announcement_id TEXT   NOT NULL,
    conversation_id TEXT   NOT NULL,
    seq             BIGINT NOT NULL,
    settled_at      BIGINT,
    outcome         TEXT   CHECK (outcome IN ('told', 'skipped')),
    PRIMARY KEY (announcement_id, conversation_id)
);

CREATE INDEX announcement_delivery_waiting ON announcement_delivery (announcement_id) WHERE settled_at IS NULL;
CREATE INDEX announcement_delivery_chat ON announcement_delivery (conversation_id);
