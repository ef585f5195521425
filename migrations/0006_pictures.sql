-- Pictures that people send for officers: made anew from their pixels, then sealed, since nobody can redact what they show.
-- `id` is 256 random bits. `number` is the ticket; NULL until one is opened. `seq` is the message that it came with.

CREATE TABLE picture (
    id              TEXT   NOT NULL PRIMARY KEY,
    conversation_id TEXT   NOT NULL,
    seq             BIGINT NOT NULL,
    number          TEXT,
    kind            TEXT   NOT NULL CHECK (kind IN ('jpg', 'png')),
    size            BIGINT NOT NULL,
    sealed          TEXT   NOT NULL,
    created_at      BIGINT NOT NULL
);

CREATE INDEX picture_conversation ON picture (conversation_id, created_at);
CREATE INDEX picture_number ON picture (number, created_at);
CREATE INDEX picture_created_at ON picture (created_at);
