-- name: of_patient
-- What is kept with an inhabitant ($1) after a (type $2, id $3), of the types $4 (empty: all).
SELECT patient, type, id, version, last_updated, false AS deleted, body
FROM resource
WHERE patient = $1 AND (type, id) > ($2::resource_type, $3::text)
  AND (cardinality($4::resource_type[]) = 0 OR type = ANY ($4))
ORDER BY type, id
LIMIT $5
