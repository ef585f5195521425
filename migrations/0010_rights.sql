-- What must be kept although its time is over, what persons ask for about their data, and where the record begins after
-- its oldest lines are gone.

-- `key` is the keyed hash of an identity number, a ticket's number or a conversation's id.
CREATE TABLE legal_hold (
    id        TEXT   NOT NULL PRIMARY KEY,
    kind      TEXT   NOT NULL CHECK (kind IN ('subject', 'ticket', 'chat')),
    key       TEXT   NOT NULL,
    last4     TEXT   NOT NULL,
    reason    TEXT   NOT NULL,
    agent     TEXT   NOT NULL,
    placed_at BIGINT NOT NULL,
    until     BIGINT,
    lifted_by TEXT   NOT NULL,
    lifted_at BIGINT
);

-- What the holds cover, worked out when one is placed and before every purge.
CREATE TABLE held (
    kind    TEXT NOT NULL CHECK (kind IN ('subject', 'ticket', 'conversation')),
    key     TEXT NOT NULL,
    hold_id TEXT NOT NULL,
    PRIMARY KEY (kind, key, hold_id)
);

CREATE INDEX held_hold ON held (hold_id);

-- A copy or an erasure that a person asks for: one officer files it, another one approves. `subject` is the keyed hash of
-- the identity number; it is empty where nobody was proved and `number`, a ticket, is all that is known.
CREATE TABLE data_request (
    id         TEXT   NOT NULL PRIMARY KEY,
    kind       TEXT   NOT NULL CHECK (kind IN ('export', 'erase')),
    subject    TEXT   NOT NULL,
    last4      TEXT   NOT NULL,
    number     TEXT   NOT NULL,
    reason     TEXT   NOT NULL,
    agent      TEXT   NOT NULL,
    filed_at   BIGINT NOT NULL,
    state      TEXT   NOT NULL CHECK (state IN ('filed', 'approved', 'refused', 'withdrawn', 'done')),
    decided_by TEXT   NOT NULL,
    decided_at BIGINT,
    note       TEXT   NOT NULL,
    done_by    TEXT   NOT NULL,
    done_at    BIGINT
);

CREATE INDEX data_request_state ON data_request (state, filed_at);
CREATE INDEX data_request_subject ON data_request (subject);

-- The last line that was deleted at the beginning of the record: the next one is chained to it.
CREATE TABLE audit_start (
    id  BIGINT NOT NULL PRIMARY KEY,
    seq BIGINT NOT NULL,
    mac TEXT   NOT NULL
);

INSERT INTO audit_start (id, seq, mac) VALUES (1, 0, '');

-- Everything of one person is found by these; in the order in which the program writes, the record last.
CREATE INDEX verification_bound ON verification (bound) WHERE bound IS NOT NULL;
CREATE INDEX proof_everywhere ON proof (subject);
CREATE INDEX binding_everywhere ON binding (subject);
CREATE INDEX disavowal_subject ON disavowal (subject);
CREATE INDEX document_link_proof ON document_link (proof_id);
CREATE INDEX audit_conversation ON audit (conversation_id, seq) WHERE conversation_id <> '';
