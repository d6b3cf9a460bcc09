-- Figures of how medicines are given. What an inhabitant's record comes to is counted by day, unit and
-- figure, and can be counted anew at any time; weeks that are over are kept as they stood then.

-- The places of `counts` are named by the medication chapter (figures/counting.py).
CREATE TABLE figure_day (
    patient bigint NOT NULL,
    day date NOT NULL,
    figure text COLLATE "C" NOT NULL,
    unit text COLLATE "C" NOT NULL,
    counts integer[] NOT NULL,
    PRIMARY KEY (patient, day, figure, unit)
);

CREATE INDEX figure_day_of_unit ON figure_day (unit, day, figure);

ALTER TABLE figure_day ENABLE ROW LEVEL SECURITY;

-- A week of a unit, closed: what was counted of nobody, by which definition, and when.
CREATE TABLE figure_week (
    week date NOT NULL,
    figure text COLLATE "C" NOT NULL,
    unit text COLLATE "C" NOT NULL,
    definition text NOT NULL,
    as_of timestamptz NOT NULL,
    counts integer[] NOT NULL,
    PRIMARY KEY (unit, week, figure)
);

-- How far counting has come: the last day that is counted for everybody, the last week that is closed,
-- and the place in the change feed. One row.
CREATE TABLE figure_progress (
    is_here boolean PRIMARY KEY CHECK (is_here),
    day date,
    week date,
    xid bigint NOT NULL,
    seq bigint NOT NULL
);

INSERT INTO figure_progress VALUES (true, NULL, NULL, 0, 0);
