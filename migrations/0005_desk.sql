-- What the desk needs besides: chats whose officer has left are found, and many tickets are searched.

CREATE INDEX conversation_holder ON conversation (holder) WHERE holder IS NOT NULL;

-- The queue: what somebody still has to do is little among what was done, and is listed by its latest change.
CREATE INDEX ticket_active ON ticket (updated_at, number) WHERE status IN ('open', 'pending');

-- Whose chat is open now.
CREATE INDEX conversation_seen_at ON conversation (seen_at) WHERE seen_at > 0;

-- What was said in chats that have a ticket, to be searched by its words: each is the beginning of an HMAC, so that it
-- stands nowhere as it is. A row for a chat and a day, which goes with the messages of that day. `seq` is the last message
-- whose words are there.
CREATE TABLE chat_word (
    conversation_id TEXT   NOT NULL,
    day             BIGINT NOT NULL,
    words           TEXT   NOT NULL,
    seq             BIGINT NOT NULL,
    PRIMARY KEY (conversation_id, day)
);

CREATE INDEX chat_word_day ON chat_word (day);
