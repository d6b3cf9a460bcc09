-- Searching deeper: quantities beside the code they measure, words for full text, and search
-- parameters that are added while the record runs.

-- What the quantity is of (the row's leading code, or the component's), so that "this code above
-- this value" is one range of one index; 0 where nothing is said.
ALTER TABLE search_quantity ADD COLUMN code bigint NOT NULL DEFAULT 0;

UPDATE search_quantity s SET code = r.code FROM resource r
WHERE s.name = 'value-quantity' AND s.type = 'Observation'
  AND (r.patient, r.type, r.id) = (s.patient, s.type, s.id);

DROP INDEX search_quantity_by_value;

CREATE INDEX search_quantity_by_value ON search_quantity (type, name, code, value);

-- Words of resources with a narrative (weight A) or of a kind that is mostly prose (weight B),
-- in Norwegian stems and as written.
CREATE TABLE search_text (
    patient bigint NOT NULL,
    type resource_type NOT NULL,
    id text NOT NULL,
    words tsvector NOT NULL
);

CREATE INDEX search_text_of_resource ON search_text (patient, type, id);

CREATE INDEX search_text_by_word ON search_text USING gin (words);

-- How far values that older rows lack have been worked out: one row for each search parameter
-- that was added. The place is the last row done.
CREATE TABLE search_indexing (
    name text PRIMARY KEY,
    definition jsonb NOT NULL,
    types text[] NOT NULL,
    patient bigint NOT NULL,
    type text NOT NULL,
    id text NOT NULL,
    done bigint NOT NULL,
    total bigint NOT NULL,
    started_at timestamptz NOT NULL,
    finished_at timestamptz
);

-- Words in Norwegian stems and as they are written.
CREATE FUNCTION stems_of(text text) RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$SELECT to_tsvector('pg_catalog.norwegian', text) || to_tsvector('pg_catalog.simple', text)$$;

CREATE FUNCTION words_of(narrative text, content text) RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$SELECT setweight(stems_of(narrative), 'A') || setweight(stems_of(content), 'B')$$;

CREATE FUNCTION words_asked(asked text) RETURNS tsquery LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$SELECT websearch_to_tsquery('pg_catalog.norwegian', asked)
      || websearch_to_tsquery('pg_catalog.simple', asked)$$;

-- The list of search parameters that were added, as a writer compares it with what it knows.
CREATE FUNCTION indexing_state() RETURNS text LANGUAGE sql STABLE AS
$$SELECT coalesce(string_agg(name || '@' || started_at, ',' ORDER BY name), '')
  FROM search_indexing$$;

-- Lets a write undo itself whole when its writer did not know one of them.
CREATE FUNCTION refuse_outdated() RETURNS integer LANGUAGE plpgsql AS
$$BEGIN RAISE EXCEPTION USING ERRCODE = 'HV410', MESSAGE = 'a search parameter was added'; END$$;
