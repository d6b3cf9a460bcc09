-- What became of each card of decision support: shown, accepted, overridden, with the outcome. Added
-- to and never changed: those who write for somebody have no right to change a row.
CREATE TABLE card_event (
    patient bigint NOT NULL,
    at timestamptz NOT NULL,
    card text COLLATE "C" NOT NULL,
    event text COLLATE "C" NOT NULL,
    rule text COLLATE "C" NOT NULL,
    rule_version text NOT NULL,
    level text NOT NULL,
    hook text NOT NULL,
    key text NOT NULL,
    subject text NOT NULL,
    actor text NOT NULL,
    unit text NOT NULL,
    reason text NOT NULL,
    words text NOT NULL,
    PRIMARY KEY (patient, card, event)
);

CREATE INDEX card_event_rule ON card_event (rule, at);

ALTER TABLE card_event ENABLE ROW LEVEL SECURITY;

CREATE VIEW shown.card_event WITH (check_option = local) AS SELECT * FROM card_event
WHERE coalesce((SELECT shown.scope())[width_bucket(patient, (SELECT shown.scope()))] = patient, false);

GRANT SELECT, INSERT ON shown.card_event TO helsevev_author;

GRANT SELECT ON shown.card_event TO helsevev_asker;

-- The list of interactions that is in use, when another has been loaded than the one that comes with
-- the program, and whether the knowledge base was stopped, by whom and why. One row.
CREATE TABLE knowledge_base (
    is_here boolean PRIMARY KEY CHECK (is_here),
    changed_at timestamptz NOT NULL,
    stopped_because text NOT NULL,
    body bytea
);

INSERT INTO knowledge_base VALUES (true, now(), '', NULL);
