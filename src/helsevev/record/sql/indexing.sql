-- name: add
-- List search parameters that were added; their values are to be worked out for older rows.
INSERT INTO search_indexing
    (name, definition, types, patient, type, id, done, total, started_at)
SELECT source_id, definition, string_to_array(types, ' '), -9223372036854775808, '', '', 0,
       (SELECT greatest(sum(reltuples), 0)::bigint FROM pg_class WHERE relname = 'resource'),
       clock_timestamp()
FROM unnest($1::bigint[], $2::text[], $3::text[], $4::jsonb[], $5::text[])
    AS s (patient, source_type, source_id, definition, types)

-- name: forget
-- Take search parameters off the list.
DELETE FROM search_indexing
WHERE name = ANY ($3::text[]) AND cardinality($1::bigint[]) = cardinality($2::text[])

-- name: listed
-- The search parameters that were added, and how far each is.
SELECT name, definition::text AS definition, done, total, finished_at IS NOT NULL AS finished,
       name || '@' || started_at AS state
FROM search_indexing
ORDER BY name

-- name: unfinished
-- The parameter to go on with, and the place after which to go on.
SELECT name, definition::text AS definition, types, patient, type, id, done,
       name || '@' || started_at AS state
FROM search_indexing
WHERE finished_at IS NULL
ORDER BY started_at, name
LIMIT 1

-- name: settled
-- A place in the order of transactions: once `oldest` has reached an earlier `newest`, every
-- transaction that ran at that time is over.
SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS oldest,
       pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS newest

-- name: next_rows
-- The next resources of types $1 after a place, whose type may be empty for the first of all.
SELECT patient, type, id, version, last_updated, false AS deleted, body
FROM resource
WHERE type = ANY ($1::resource_type[])
  AND (patient, type, id)
      > ($2::bigint, coalesce(nullif($3::text, ''), 'Account')::resource_type, $4::text)
ORDER BY patient, type, id
LIMIT $5

-- name: reached
-- How far a parameter is now, unless it was changed or removed meanwhile.
UPDATE search_indexing
SET patient = $3, type = $4, id = $5, done = done + $6,
    finished_at = CASE WHEN $7 THEN clock_timestamp() END
WHERE name = $1 AND name || '@' || started_at = $2

-- name: tokens
-- The common values that some rows hold now; they are locked, so that these stay.
SELECT r.patient, r.type, r.id, s.tokens
FROM resource r LEFT JOIN token_set s ON s.id = r.token_set
WHERE (r.patient, r.type, r.id) IN (
    SELECT * FROM unnest($1::bigint[], $2::resource_type[], $3::text[]))
FOR UPDATE OF r

-- name: add_values
-- Values of the parameter named $1 for rows that are still the version they were read as; $21 and
-- $22 are the combinations of common values that they come to.
WITH sets AS (
    INSERT INTO token_set (id, tokens)
    SELECT id, tokens::bigint[] FROM unnest($21::bigint[], $22::text[]) AS s (id, tokens)
    ON CONFLICT (id) DO NOTHING
), given AS (
    SELECT patient, type, id, version, keys::bigint[] AS keys, token_set, n
    FROM unnest($2::bigint[], $3::resource_type[], $4::text[], $5::integer[], $6::text[],
                $7::bigint[])
        WITH ORDINALITY AS g (patient, type, id, version, keys, token_set, n)
), there AS (
    UPDATE resource r
    SET keys = r.keys || ARRAY(SELECT unnest(g.keys) EXCEPT SELECT unnest(r.keys)),
        token_set = g.token_set
    FROM given g
    WHERE (r.patient, r.type, r.id) = (g.patient, g.type, g.id) AND r.version = g.version
    RETURNING r.patient, r.type, r.id, g.n
), gone_strings AS (
    DELETE FROM search_string s USING there t
    WHERE (s.patient, s.type, s.id, s.name) = (t.patient, t.type, t.id, $1)
), gone_dates AS (
    DELETE FROM search_date s USING there t
    WHERE (s.patient, s.type, s.id, s.name) = (t.patient, t.type, t.id, $1)
), gone_quantities AS (
    DELETE FROM search_quantity s USING there t
    WHERE (s.patient, s.type, s.id, s.name) = (t.patient, t.type, t.id, $1)
), strings AS (
    INSERT INTO search_string (patient, type, id, name, value)
    SELECT t.patient, t.type, t.id, $1, v.value
    FROM unnest($8::bigint[], $9::text[]) AS v (n, value) JOIN there t USING (n)
), dates AS (
    INSERT INTO search_date (patient, type, id, name, low, high)
    SELECT t.patient, t.type, t.id, $1, v.low, v.high
    FROM unnest($10::bigint[], $11::bigint[], $12::bigint[]) AS v (n, low, high)
    JOIN there t USING (n)
), quantities AS (
    INSERT INTO search_quantity (patient, type, id, name, unit, system_unit, value)
    SELECT t.patient, t.type, t.id, $1, v.unit, v.system_unit, v.value
    FROM unnest($13::bigint[], $14::bigint[], $15::bigint[], $16::numeric[])
        AS v (n, unit, system_unit, value)
    JOIN there t USING (n)
)
INSERT INTO coding (code, system, hash, is_leading)
SELECT * FROM unnest($17::text[], $18::text[], $19::bigint[], $20::boolean[])
ON CONFLICT (hash, is_leading) DO NOTHING
