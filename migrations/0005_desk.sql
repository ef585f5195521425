-- What the desk needs besides: chats whose officer has left are found, and many tickets are searched.

CREATE INDEX conversation_holder ON conversation (holder) WHERE holder IS NOT NULL;
