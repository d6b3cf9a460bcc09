-- What waits for somebody, as the record says: whose it is, on whose list, by when, and when the next
-- one is told. A read model of tasks in which somebody has to act; times in microseconds since 1970.
CREATE TABLE follow_up_waiting (
    patient bigint NOT NULL,
    source_type text NOT NULL,
    source_id text NOT NULL,
    owner text COLLATE "C" NOT NULL,
    unit text COLLATE "C" NOT NULL,
    matter text COLLATE "C" NOT NULL,
    asked_at bigint NOT NULL,
    due_at bigint,
    next_at bigint,
    PRIMARY KEY (patient, source_type, source_id)
);

CREATE INDEX follow_up_waiting_unit ON follow_up_waiting (unit, due_at);

CREATE INDEX follow_up_waiting_owner ON follow_up_waiting (owner, due_at);

CREATE INDEX follow_up_waiting_next ON follow_up_waiting (next_at) WHERE next_at IS NOT NULL;

ALTER TABLE follow_up_waiting ENABLE ROW LEVEL SECURITY;

CREATE VIEW shown.follow_up_waiting WITH (check_option = local) AS SELECT * FROM follow_up_waiting
WHERE coalesce((SELECT shown.scope())[width_bucket(patient, (SELECT shown.scope()))] = patient, false);

GRANT SELECT, INSERT, UPDATE, DELETE ON shown.follow_up_waiting TO helsevev_author;

GRANT SELECT ON shown.follow_up_waiting TO helsevev_asker;

-- When somebody last looked for what is past its deadline, and when for too long nobody had.
CREATE TABLE follow_up_watch (
    name text COLLATE "C" NOT NULL PRIMARY KEY,
    at timestamptz NOT NULL
);

-- Times at which nobody watched what waits, kept to be told.
CREATE TABLE follow_up_gap (
    name text COLLATE "C" NOT NULL,
    from_at timestamptz NOT NULL,
    to_at timestamptz NOT NULL,
    PRIMARY KEY (name, from_at)
);

-- Who last opened a unit's list, and the lists that have lain unopened with something on them, told
-- to the organisation above. They say nothing of anybody whom a list is about.
CREATE TABLE follow_up_opened (
    unit text COLLATE "C" NOT NULL PRIMARY KEY,
    at timestamptz NOT NULL,
    actor text COLLATE "C" NOT NULL,
    actor_name text NOT NULL
);

-- Lists that have lain unopened with something on them, and when that was told to whom.
CREATE TABLE follow_up_unopened (
    unit text COLLATE "C" NOT NULL,
    unit_name text NOT NULL,
    told text COLLATE "C" NOT NULL,
    since timestamptz NOT NULL,
    told_at timestamptz NOT NULL,
    ended_at timestamptz,
    ended_by_name text NOT NULL,
    PRIMARY KEY (unit, told_at)
);

CREATE UNIQUE INDEX follow_up_unopened_now ON follow_up_unopened (unit) WHERE ended_at IS NULL;

CREATE INDEX follow_up_unopened_told ON follow_up_unopened (told, told_at);

-- What somebody has put on their desk for themselves: lists of their own, the order of their visits.
CREATE TABLE desk_own (
    actor text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    body text NOT NULL,
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (actor, kind, key)
);
