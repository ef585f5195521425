-- Who it is, proved how, until when; what is done for them; and the record of it.

-- Random keys, sealed under the deployment's secret: it can be changed, and what these keys named stays findable.
CREATE TABLE key_ring (
    name       TEXT   NOT NULL PRIMARY KEY,
    sealed     TEXT   NOT NULL,
    created_at BIGINT NOT NULL
);

-- When something was last done, for limits over a window of time. Keys never hold an address or a number as it is.
CREATE TABLE tally (
    key        TEXT   NOT NULL PRIMARY KEY,
    recent     TEXT   NOT NULL,
    touched_at BIGINT NOT NULL
);

CREATE INDEX tally_touched_at ON tally (touched_at);

-- A chat's request for a proof, from its link to the secret that brings the proof back. `subject` is an HMAC of the
-- identity number; the number itself is sealed. No code is here: it is derived when it is mailed.
CREATE TABLE verification (
    id              TEXT   NOT NULL PRIMARY KEY,
    conversation_id TEXT   NOT NULL,
    channel         TEXT   NOT NULL,
    chat            TEXT   NOT NULL,
    token_hash      TEXT   NOT NULL UNIQUE,
    request         TEXT   NOT NULL,
    language        TEXT   NOT NULL CHECK (language IN ('ms', 'en')),
    who             TEXT,
    bound           TEXT,
    created_at      BIGINT NOT NULL,
    expires_at      BIGINT NOT NULL,
    kind            TEXT   CHECK (kind IN ('staff', 'supplier')),
    subject         TEXT,
    last4           TEXT,
    number          TEXT,
    sends           BIGINT NOT NULL,
    salt            TEXT,
    code_at         BIGINT,
    tries           BIGINT NOT NULL,
    person          TEXT,
    finished_at     BIGINT,
    return_hash     TEXT   UNIQUE,
    redeemed_at     BIGINT,
    closed_at       BIGINT
);

CREATE INDEX verification_conversation ON verification (conversation_id);
CREATE INDEX verification_subject ON verification (subject);
CREATE INDEX verification_created_at ON verification (created_at);

-- A proof belongs to one conversation. `person` is sealed; `address_mark` tells whether the e-mail address changed.
CREATE TABLE proof (
    id              TEXT   NOT NULL PRIMARY KEY,
    conversation_id TEXT   NOT NULL,
    channel         TEXT   NOT NULL,
    kind            TEXT   NOT NULL CHECK (kind IN ('staff', 'supplier')),
    subject         TEXT   NOT NULL,
    last4           TEXT   NOT NULL,
    person          TEXT   NOT NULL,
    address_mark    TEXT   NOT NULL,
    proved_at       BIGINT NOT NULL,
    used_at         BIGINT NOT NULL,
    ended_at        BIGINT
);

CREATE INDEX proof_conversation ON proof (conversation_id) WHERE ended_at IS NULL;
CREATE INDEX proof_subject ON proof (subject) WHERE ended_at IS NULL;
CREATE INDEX proof_ended_at ON proof (ended_at);

-- A chat whose person is known for longer; what is sensitive still needs a fresh proof.
CREATE TABLE binding (
    id           TEXT   NOT NULL PRIMARY KEY,
    channel      TEXT   NOT NULL,
    contact      TEXT   NOT NULL,
    kind         TEXT   NOT NULL CHECK (kind IN ('staff', 'supplier')),
    subject      TEXT   NOT NULL,
    last4        TEXT   NOT NULL,
    person       TEXT   NOT NULL,
    number       TEXT   NOT NULL,
    address_mark TEXT   NOT NULL,
    bound_at     BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL,
    checked_at   BIGINT NOT NULL,
    ended_at     BIGINT
);

CREATE UNIQUE INDEX binding_contact ON binding (channel, contact) WHERE ended_at IS NULL;
CREATE INDEX binding_subject ON binding (subject) WHERE ended_at IS NULL;
CREATE INDEX binding_checked_at ON binding (checked_at) WHERE ended_at IS NULL;

-- A link to one document. `carried_as` is the carrier's number of the message that holds it, where it can be removed.
CREATE TABLE document_link (
    id              TEXT   NOT NULL PRIMARY KEY,
    conversation_id TEXT   NOT NULL,
    proof_id        TEXT   NOT NULL,
    seq             BIGINT NOT NULL,
    token_hash      TEXT   NOT NULL UNIQUE,
    document        TEXT   NOT NULL CHECK (document IN ('slip-gaji', 'penyata-tahunan')),
    period          TEXT   NOT NULL,
    created_at      BIGINT NOT NULL,
    expires_at      BIGINT NOT NULL,
    spent_at        BIGINT,
    carried_as      BIGINT,
    removed_at      BIGINT
);

CREATE INDEX document_link_conversation ON document_link (conversation_id);
CREATE INDEX document_link_carried ON document_link (expires_at) WHERE carried_as IS NOT NULL AND removed_at IS NULL;
CREATE INDEX document_link_created_at ON document_link (created_at);

-- "This was not me", one for each mail to a person.
CREATE TABLE disavowal (
    id         TEXT   NOT NULL PRIMARY KEY,
    token_hash TEXT   NOT NULL UNIQUE,
    subject    TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    used_at    BIGINT
);

CREATE INDEX disavowal_created_at ON disavowal (created_at);

-- What an officer has to do. `details` is sealed.
CREATE TABLE ticket (
    number          TEXT   NOT NULL PRIMARY KEY,
    conversation_id TEXT   NOT NULL,
    queue           TEXT   NOT NULL CHECK (queue IN ('teknikal', 'naziran', 'helpdesk')),
    topic           TEXT   NOT NULL,
    status          TEXT   NOT NULL CHECK (status IN ('open', 'pending', 'resolved', 'closed')),
    last4           TEXT,
    details         TEXT,
    created_at      BIGINT NOT NULL,
    updated_at      BIGINT NOT NULL,
    resolved_at     BIGINT
);

CREATE INDEX ticket_conversation ON ticket (conversation_id);
CREATE INDEX ticket_updated_at ON ticket (updated_at);

CREATE TABLE ticket_serial (
    year BIGINT NOT NULL PRIMARY KEY,
    last BIGINT NOT NULL
);

-- The record of every sensitive step, each line chained to the one before it by an HMAC. Append only: a guard that
-- differs between the databases is set when the database is opened.
CREATE TABLE audit (
    seq             BIGINT NOT NULL PRIMARY KEY,
    at              BIGINT NOT NULL,
    event           TEXT   NOT NULL,
    outcome         TEXT   NOT NULL,
    conversation_id TEXT   NOT NULL,
    subject         TEXT   NOT NULL,
    detail          TEXT   NOT NULL,
    mac             TEXT   NOT NULL
);

CREATE TABLE audit_head (
    id  BIGINT NOT NULL PRIMARY KEY,
    seq BIGINT NOT NULL,
    mac TEXT   NOT NULL
);

INSERT INTO audit_head (id, seq, mac) VALUES (1, 0, '');
