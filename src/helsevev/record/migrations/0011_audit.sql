-- The audit trail says more of each touch, and is sealed by a Merkle log with signed checkpoints.

-- Who asks, in which role and unit, and from where: the same for many touches, kept once by a hash
-- of it. As JSON text, which a leaf of the log is made of exactly as it stands here.
CREATE TABLE audit_origin (
    id bigint PRIMARY KEY,
    content json NOT NULL
);

CREATE INDEX audit_origin_of_actor ON audit_origin ((content ->> 'actor'));

-- Rows written before keep their own words of who it was; their transaction is this one.
ALTER TABLE audit_event
    ADD COLUMN xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    ADD COLUMN origin bigint,
    ADD COLUMN basis text NOT NULL DEFAULT '',
    ADD COLUMN request text NOT NULL DEFAULT '',
    ALTER COLUMN actor_name DROP NOT NULL,
    ALTER COLUMN role DROP NOT NULL,
    ALTER COLUMN organisation DROP NOT NULL,
    ALTER COLUMN organisation_name DROP NOT NULL;

-- The order in which rows are sealed: by transactions that are over, none of which can add a row.
-- outside a transaction
CREATE INDEX CONCURRENTLY IF NOT EXISTS audit_event_in_order ON audit_event (xid, id, patient);

-- What was sealed together: leaves `first` to `first + size - 1` of the log, each by the row it is
-- of and its hash; the place of the last in the order of rows; the roots of the log's full subtrees
-- after it, largest first.
CREATE TABLE audit_batch (
    first bigint PRIMARY KEY,
    size integer NOT NULL,
    xid bigint NOT NULL,
    id bigint NOT NULL,
    sealed_at timestamptz NOT NULL,
    patients bigint[] NOT NULL,
    ids bigint[] NOT NULL,
    hashes bytea NOT NULL,
    subtrees bytea NOT NULL
);

CREATE INDEX audit_batch_by_time ON audit_batch (sealed_at);

-- The log at some sizes, as signed notes that anybody may keep.
CREATE TABLE audit_checkpoint (
    size bigint NOT NULL,
    at timestamptz NOT NULL,
    key text NOT NULL,
    note text NOT NULL,
    PRIMARY KEY (size, key)
);

-- What is written here stays; only the owner of the tables can give these rights back.
REVOKE UPDATE, DELETE, TRUNCATE ON audit_event, audit_origin, audit_batch, audit_checkpoint
FROM PUBLIC, CURRENT_USER;

-- Reads that a published rule found unusual: one row per rule and group of reads, about one
-- inhabitant or (patient 0) about how much somebody read.
CREATE TABLE audit_finding (
    patient bigint NOT NULL,
    id bigint NOT NULL,
    found_at timestamptz NOT NULL,
    read_at timestamptz NOT NULL,
    due_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    reads integer NOT NULL,
    rule text NOT NULL,
    actor text NOT NULL,
    actor_name text NOT NULL,
    unit text NOT NULL,
    day text NOT NULL,
    why jsonb NOT NULL,
    state text NOT NULL DEFAULT 'new',
    owner text NOT NULL DEFAULT '',
    owner_name text NOT NULL DEFAULT '',
    words text NOT NULL DEFAULT '',
    PRIMARY KEY (patient, actor, rule, day)
);

CREATE INDEX audit_finding_by_state ON audit_finding (state, due_at);

-- How far the search for unusual reads has come; whoever holds the row goes on.
CREATE TABLE audit_reader (
    sole boolean PRIMARY KEY DEFAULT true CHECK (sole),
    xid bigint NOT NULL DEFAULT 0,
    id bigint NOT NULL DEFAULT 0
);

INSERT INTO audit_reader DEFAULT VALUES ON CONFLICT DO NOTHING;

-- How many inhabitants' records somebody opened on each day, for what is usual for them.
CREATE TABLE audit_day (
    actor text NOT NULL,
    day date NOT NULL,
    records integer NOT NULL,
    PRIMARY KEY (actor, day)
);

-- What an inhabitant asked about a reading, and what came of it.
CREATE TABLE audit_question (
    patient bigint NOT NULL,
    id bigint NOT NULL,
    asked_at timestamptz NOT NULL,
    task text NOT NULL,
    PRIMARY KEY (patient, id)
)
;

-- In which hours of the day, one bit for each, somebody has read: what their shifts are like.
ALTER TABLE audit_day ADD COLUMN hours integer NOT NULL DEFAULT 0
