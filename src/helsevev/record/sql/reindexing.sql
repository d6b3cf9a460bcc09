-- name: is_extracted
-- Whether all rows are as rules $1 make them.
SELECT EXISTS (SELECT FROM extraction WHERE rules >= $1 AND finished_at IS NOT NULL)

-- name: of_types
-- The next resources of types $1 after a place, whose type may be empty for the first of all.
SELECT patient, type, id, version, last_updated, false AS deleted, body
FROM resource
WHERE type = ANY ($1::resource_type[])
  AND (patient, type, id)
      > ($2::bigint, coalesce(nullif($3::text, ''), 'Account')::resource_type, $4::text)
ORDER BY patient, type, id
LIMIT $5

-- name: begin
-- Note that the record is to be worked out by rules $1, from its first resource on.
INSERT INTO extraction (rules, patient, type, id, done, changed)
VALUES ($1, -9223372036854775808, 'Account', '', 0, 0)
ON CONFLICT (rules) DO NOTHING

-- name: again
-- Begin anew with rules $1.
DELETE FROM extraction WHERE rules = $1

-- name: place
-- How far the record has been worked out by rules $1.
SELECT patient, type, id, done, changed, finished_at IS NOT NULL AS finished
FROM extraction WHERE rules = $1

-- name: total
-- About how many resources there are.
SELECT greatest(reltuples, 0)::bigint FROM pg_class WHERE oid = 'resource'::regclass

-- name: wait_at_most
-- Give way to writers before PostgreSQL looks for deadlocks.
SET LOCAL lock_timeout = '200ms'

-- name: next
-- The next $4 resources at most of the first inhabitant after a place, with what they are found by.
SELECT patient, type, id, version, last_updated, false AS deleted, body,
       code, date_low, date_high, keys, token_set
FROM resource
WHERE patient = (SELECT patient FROM resource
                 WHERE (patient, type, id) > ($1::bigint, $2::text::resource_type, $3::text)
                 ORDER BY patient, type, id LIMIT 1)
  AND (patient, type, id) > ($1::bigint, $2::text::resource_type, $3::text)
ORDER BY patient, type, id
LIMIT $4

-- name: hold
-- Those of resources $2, $3 of inhabitant $1 that are still at version $4, kept as they are until the
-- end of the transaction.
SELECT r.type, r.id FROM resource r
WHERE r.patient = $1 AND (r.type, r.id, r.version) IN (
    SELECT * FROM unnest($2::resource_type[], $3::text[], $4::integer[]))
FOR UPDATE

-- name: strings
-- The texts that resources $2, $3 of inhabitant $1 are found by.
SELECT s.type, s.id, s.name, s.value
FROM search_string s JOIN unnest($2::resource_type[], $3::text[]) AS g (type, id) USING (type, id)
WHERE s.patient = $1

-- name: dates
-- The same for dates.
SELECT s.type, s.id, s.name, s.low, s.high
FROM search_date s JOIN unnest($2::resource_type[], $3::text[]) AS g (type, id) USING (type, id)
WHERE s.patient = $1

-- name: quantities
-- The same for numbers and quantities.
SELECT s.type, s.id, s.name, s.unit, s.system_unit, s.value, s.code
FROM search_quantity s JOIN unnest($2::resource_type[], $3::text[]) AS g (type, id) USING (type, id)
WHERE s.patient = $1

-- name: texts
-- Which of the resources $2, $3 of inhabitant $1 have not these words for full text; NULL for none.
SELECT g.type, g.id
FROM unnest($2::resource_type[], $3::text[], $4::text[], $5::text[])
         AS g (type, id, narrative, content)
LEFT JOIN search_text s ON s.patient = $1 AND (s.type, s.id) = (g.type, g.id)
WHERE s.words IS DISTINCT FROM words_of(g.narrative, g.content)

-- name: rework
-- Replace what rows are found by, where they are still the version they were read as; returns them.
-- Their rows in the tables of search are removed, to be written anew.
WITH sets AS (
    INSERT INTO token_set (id, tokens)
    SELECT id, tokens::bigint[] FROM unnest($10::bigint[], $11::text[]) AS s (id, tokens)
    ON CONFLICT (id) DO NOTHING
), codings AS (
    INSERT INTO coding (code, system, hash, is_leading)
    SELECT * FROM unnest($12::text[], $13::text[], $14::bigint[], $15::boolean[])
    ON CONFLICT (hash, is_leading) DO NOTHING
), there AS (
    UPDATE resource r
    SET code = g.code, date_low = g.date_low, date_high = g.date_high,
        keys = g.keys::bigint[], token_set = g.token_set
    FROM unnest($2::resource_type[], $3::text[], $4::integer[], $5::bigint[], $6::bigint[],
                $7::bigint[], $8::text[], $9::bigint[])
        AS g (type, id, version, code, date_low, date_high, keys, token_set)
    WHERE r.patient = $1 AND (r.type, r.id) = (g.type, g.id) AND r.version = g.version
    RETURNING r.type, r.id
), gone_strings AS (
    DELETE FROM search_string s USING there t
    WHERE s.patient = $1 AND (s.type, s.id) = (t.type, t.id)
), gone_dates AS (
    DELETE FROM search_date s USING there t
    WHERE s.patient = $1 AND (s.type, s.id) = (t.type, t.id)
), gone_quantities AS (
    DELETE FROM search_quantity s USING there t
    WHERE s.patient = $1 AND (s.type, s.id) = (t.type, t.id)
), gone_texts AS (
    DELETE FROM search_text s USING there t
    WHERE s.patient = $1 AND (s.type, s.id) = (t.type, t.id)
)
SELECT type, id FROM there

-- name: reached
-- How far the record is now by rules $1.
UPDATE extraction
SET patient = $2, type = $3::text::resource_type, id = $4, done = done + $5,
    changed = changed + $6
WHERE rules = $1

-- name: finished
-- The record has been worked out by rules $1.
UPDATE extraction SET finished_at = clock_timestamp() WHERE rules = $1
