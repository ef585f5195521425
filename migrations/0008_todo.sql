-- What is still to be done is counted on every page of the console: from this index alone, without a look at the tickets.
CREATE INDEX ticket_todo ON ticket (queue, assignee, answer_by, status) WHERE status IN ('open', 'pending');
