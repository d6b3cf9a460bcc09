-- How far ahead each knocker has used up what they may do: what all processes count together.
-- Nothing is lost when it is lost, so no write-ahead log is paid for.
CREATE UNLOGGED TABLE knock (
    key bytea PRIMARY KEY,
    free_at timestamptz NOT NULL
);

CREATE INDEX knock_free ON knock (free_at);
