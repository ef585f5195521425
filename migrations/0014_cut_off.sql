-- How often whoever handled it never came back: that is no fault of its own as long as others were handled beside it.
ALTER TABLE inbound ADD COLUMN cut_off BIGINT NOT NULL DEFAULT 0;
