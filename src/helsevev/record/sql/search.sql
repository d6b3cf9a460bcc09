-- name: codings
-- What some of these codes are in rows: leading codings, or among the keys.
SELECT code, hash, is_leading FROM coding WHERE code = ANY ($1::text[])

-- name: referring
-- Resources of type $1 that refer, by parameters whose keys are $2, or by belonging to one of the
-- inhabitants $3 unless marked $5, to something found.
SELECT patient, type, id, version, last_updated, false AS deleted, body
FROM resource
WHERE type = $1::resource_type AND keys && $2::bigint[]
UNION
SELECT patient, type, id, version, last_updated, false, body
FROM resource
WHERE type = $1::resource_type AND patient = ANY ($3::bigint[])
  AND NOT token_set = ANY (ARRAY(SELECT t.id FROM token_set t WHERE t.tokens && $5::bigint[]))
LIMIT $4

-- name: with_words
-- Which of these resources, by place from 1, hold the words of one of the questions $3.
SELECT n
FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS t (narrative, content, n)
WHERE EXISTS (SELECT FROM unnest($3::text[]) AS asked
              WHERE words_of(narrative, content) @@ words_asked(asked))

-- name: units
-- The units of system $1 that some quantity has.
SELECT code FROM coding WHERE system = $1 AND NOT is_leading

-- name: by_url
-- Resources of type $1 that give themselves a URL whose key is among $2, the newest first.
SELECT patient, type, id, version, last_updated, false AS deleted, body
FROM resource
WHERE type = $1::resource_type AND keys && $2::bigint[]
ORDER BY last_updated DESC, id
LIMIT 20

-- name: by_urls
-- Resources of types $1 that give themselves a URL whose key is among $2.
SELECT patient, type, id, version, last_updated, false AS deleted, body
FROM resource
WHERE type = ANY ($1::resource_type[]) AND keys && $2::bigint[]
LIMIT 1000
