-- Photos and files that belong to an unsigned text: their author's alone, until it is signed. Beside
-- the texts, which are read whenever a chart is opened.
CREATE TABLE draft_file (
    patient bigint NOT NULL,
    at timestamptz NOT NULL,
    author text NOT NULL,
    draft text COLLATE "C" NOT NULL,
    id text COLLATE "C" NOT NULL,
    title text NOT NULL,
    media_type text NOT NULL,
    content bytea NOT NULL,
    PRIMARY KEY (patient, author, draft, id)
);

ALTER TABLE draft_file ENABLE ROW LEVEL SECURITY;

CREATE VIEW shown.draft_file WITH (check_option = local) AS SELECT * FROM draft_file
WHERE coalesce((SELECT shown.scope())[width_bucket(patient, (SELECT shown.scope()))] = patient, false);

GRANT SELECT, INSERT, UPDATE, DELETE ON shown.draft_file TO helsevev_author;

GRANT SELECT ON shown.draft_file TO helsevev_asker;
