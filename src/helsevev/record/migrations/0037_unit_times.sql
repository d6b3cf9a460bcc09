-- At what times of day a unit gives medicines, and from when: lines that are added and never
-- changed, so that what was due is worked out by the times that applied. It says nothing of anybody.
CREATE TABLE unit_times (
    unit text COLLATE "C" NOT NULL,
    since timestamptz NOT NULL,
    body text NOT NULL,
    written_at timestamptz NOT NULL,
    actor text COLLATE "C" NOT NULL,
    actor_name text NOT NULL,
    PRIMARY KEY (unit, since)
);
