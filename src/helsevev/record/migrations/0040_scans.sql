-- How often a unit scanned, was stopped, or signed without scanning: counts of nobody, by day. What
-- was stopped, of whom and by whom stands in the record.
CREATE TABLE scan_count (
    day date NOT NULL,
    unit text COLLATE "C" NOT NULL,
    means text COLLATE "C" NOT NULL,
    what text COLLATE "C" NOT NULL,
    outcome text COLLATE "C" NOT NULL,
    product text COLLATE "C" NOT NULL,
    times bigint NOT NULL,
    PRIMARY KEY (unit, day, means, what, outcome, product)
);
