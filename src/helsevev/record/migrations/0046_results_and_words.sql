-- Results that somebody has to acknowledge, and who is asked: a read model of reports and tasks.
-- `key` names the result and its edition, `kind` says what the row is: "due" (a report that has to be
-- acknowledged), "early" (a preliminary one, which has to be when it is critical), "waits" (a task that asks somebody to) or "acknowledged" (somebody named has).
CREATE TABLE result_state (
    patient bigint NOT NULL,
    source_type text NOT NULL,
    source_id text NOT NULL,
    key text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL,
    PRIMARY KEY (patient, source_type, source_id)
);

CREATE INDEX result_state_by_key ON result_state (patient, key, kind);

ALTER TABLE result_state ENABLE ROW LEVEL SECURITY;

CREATE VIEW shown.result_state WITH (check_option = local) AS SELECT * FROM result_state
WHERE coalesce((SELECT shown.scope())[width_bucket(patient, (SELECT shown.scope()))] = patient, false);

GRANT SELECT, INSERT, UPDATE, DELETE ON shown.result_state TO helsevev_author;

GRANT SELECT ON shown.result_state TO helsevev_asker;

-- What is asked of a chart: of every group of words, parted by '|', one has to be there, by its stem or
-- as the beginning of a word.
CREATE FUNCTION words_begun(asked text[]) RETURNS tsquery LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$SELECT string_agg('(' || ways || ')', ' & ')::tsquery FROM (
    SELECT string_agg(
        to_tsquery('norwegian_of_any', way)::text || ' | '
        || to_tsquery('pg_catalog.simple', replace(way, ' <->', ':* <->') || ':*')::text, ' | '
    ) AS ways
    FROM unnest(asked) WITH ORDINALITY AS word (said, place),
         unnest(string_to_array(said, '|')) AS way
    GROUP BY place
) AS each$$;

-- What is said in a record is found in the chart: words of structured entries are kept beside those
-- of notes, so rows of before are worked out anew.
DELETE FROM extraction WHERE EXISTS (SELECT FROM resource);
