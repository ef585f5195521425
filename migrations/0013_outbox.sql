-- Deliveries of one message, and of one conversation.
CREATE INDEX outbox_message ON outbox (conversation_id, seq);
