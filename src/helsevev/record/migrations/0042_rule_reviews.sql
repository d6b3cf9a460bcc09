-- Rules of decision support that few accept, asked to be reviewed, and what each review came to. It
-- says nothing of anybody.
CREATE TABLE rule_review (
    asked_at timestamptz NOT NULL,
    ended_at timestamptz,
    rule text COLLATE "C" NOT NULL,
    told text NOT NULL,
    verdict text NOT NULL,
    ended_by text COLLATE "C" NOT NULL,
    ended_by_name text NOT NULL,
    PRIMARY KEY (rule, asked_at)
);

-- A rule is under one review at a time.
CREATE UNIQUE INDEX rule_review_open ON rule_review (rule) WHERE ended_at IS NULL;
