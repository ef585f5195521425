-- Questions that were not answered, what officers propose for them, and what was set aside.

CREATE INDEX message_outcome ON message (outcome, created_at) WHERE outcome IS NOT NULL;
CREATE INDEX feedback_vote ON feedback (vote, created_at);

-- Another way to ask for an entry. `asked` is the question that it was proposed for; `result` is what the check found,
-- as JSON. An approved one names the edition that it went into.
CREATE TABLE knowledge_proposal (
    id         TEXT   NOT NULL PRIMARY KEY,
    entry      TEXT   NOT NULL,
    text       TEXT   NOT NULL,
    asked      TEXT   NOT NULL,
    author     TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    state      TEXT   NOT NULL CHECK (state IN ('proposed', 'approved', 'refused', 'rolled back')),
    result     TEXT,
    checked_at BIGINT,
    decided_by TEXT   NOT NULL,
    decided_at BIGINT,
    reason     TEXT   NOT NULL,
    file       TEXT   NOT NULL,
    edition    BIGINT
);

CREATE INDEX knowledge_proposal_state ON knowledge_proposal (state, created_at);

-- Questions that are not ours to answer: what asks the same is not shown again.
CREATE TABLE question_dismissed (
    id           TEXT   NOT NULL PRIMARY KEY,
    text         TEXT   NOT NULL,
    agent        TEXT   NOT NULL,
    dismissed_at BIGINT NOT NULL
);

CREATE INDEX question_dismissed_at ON question_dismissed (dismissed_at);

-- The record is read by its event, by whom it is about, and by its time.
CREATE INDEX audit_event ON audit (event, seq);
CREATE INDEX audit_subject ON audit (subject, seq);
CREATE INDEX audit_at ON audit (at);
