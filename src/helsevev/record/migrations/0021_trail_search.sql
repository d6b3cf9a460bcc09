-- The audit trail is asked by who did it, by refusals and by days, newest first, page by page.

-- Whoever it was by a hash, so that an entry is short; rows from before 0011 have it, too.
-- outside a transaction
CREATE INDEX CONCURRENTLY IF NOT EXISTS audit_event_of_actor
ON audit_event (hashtextextended(actor, 0), at, id);

-- outside a transaction
CREATE INDEX CONCURRENTLY IF NOT EXISTS audit_event_refused
ON audit_event (at, id) WHERE outcome = 8;

-- Rows lie in the order of time as they come: which blocks hold a time costs next to nothing.
-- outside a transaction
CREATE INDEX CONCURRENTLY IF NOT EXISTS audit_event_by_time
ON audit_event USING brin (at) WITH (pages_per_range = 32, autosummarize = on)
