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
