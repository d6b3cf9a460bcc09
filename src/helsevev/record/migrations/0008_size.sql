-- A smaller record: each word once for full text, and how far rows have been worked out by the
-- rules of now. Bodies that are written from here on have no magic number before them.

-- Norwegian stems without stop words taken out: one lexeme for each word, where there were its stem
-- and the word itself. What is asked for is found in rows of either kind.
CREATE TEXT SEARCH DICTIONARY norwegian_stem_of_any (
    TEMPLATE = pg_catalog.snowball, LANGUAGE = norwegian
);

CREATE TEXT SEARCH CONFIGURATION norwegian_of_any (COPY = pg_catalog.norwegian);

ALTER TEXT SEARCH CONFIGURATION norwegian_of_any
    ALTER MAPPING FOR asciiword, asciihword, hword_asciipart, word, hword, hword_part
    WITH norwegian_stem_of_any;

CREATE OR REPLACE FUNCTION stems_of(text text) RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$SELECT to_tsvector('norwegian_of_any', text)$$;

-- Stop words need not be there (the first), and are found when they are all that is asked for (the
-- second); the third finds words as they are written in rows of before.
CREATE OR REPLACE FUNCTION words_asked(asked text) RETURNS tsquery
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$SELECT websearch_to_tsquery('pg_catalog.norwegian', asked)
      || websearch_to_tsquery('norwegian_of_any', asked)
      || websearch_to_tsquery('pg_catalog.simple', asked)$$;

-- Rules by which rows are made of resources: which of them the record has been worked out by, or
-- how far that has come. The place is the last resource done.
CREATE TABLE extraction (
    rules integer PRIMARY KEY,
    patient bigint NOT NULL,
    type resource_type NOT NULL,
    id text NOT NULL,
    done bigint NOT NULL,
    changed bigint NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz
);

-- An empty record has no row of older rules.
INSERT INTO extraction (rules, patient, type, id, done, changed, finished_at)
SELECT 2, 0, 'Account', '', 0, 0, now() WHERE NOT EXISTS (SELECT FROM resource);

-- Written anew after much came at once (`record/packing.py`), these need less room for later than a
-- tenth of each page.
ALTER INDEX resource_pkey SET (fillfactor = 95);

ALTER INDEX resource_by_patient_date SET (fillfactor = 95);

ALTER INDEX resource_by_code_date SET (fillfactor = 95);

ALTER INDEX search_quantity_of_resource SET (fillfactor = 95);

ALTER INDEX search_quantity_by_value SET (fillfactor = 95);

ALTER INDEX search_string_of_resource SET (fillfactor = 95);

ALTER INDEX treatment_relation_of_source SET (fillfactor = 95);
