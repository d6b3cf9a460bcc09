-- Exports in bulk: what was asked, how far it has come, and which files it left. The files lie in
-- the data folder; a row is removed with them.

CREATE TABLE export_job (
    id text PRIMARY KEY,
    requested_at timestamptz NOT NULL,
    transaction_time timestamptz,
    finished_at timestamptz,
    expires_at timestamptz NOT NULL,
    expected bigint NOT NULL DEFAULT 0,
    written bigint NOT NULL DEFAULT 0,
    starts integer NOT NULL DEFAULT 0,
    state text NOT NULL,
    problem text NOT NULL DEFAULT '',
    request text NOT NULL,
    owner text NOT NULL,
    actor jsonb NOT NULL,
    asked jsonb NOT NULL,
    files jsonb NOT NULL DEFAULT '[]'
);

-- What left the record since a moment, for exports of changes.
CREATE INDEX resource_history_deletions ON resource_history (last_updated) WHERE deleted;
