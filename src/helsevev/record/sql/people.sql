-- name: find
-- Inhabitants with a name part that begins so for each of $1, an identifier among $2 (empty: any),
-- and a birth date from $3 (null: any). Names are asked through the first word; the rest filter.
SELECT r.patient, r.type, r.id, r.version, r.last_updated, false AS deleted, r.body
FROM resource r
WHERE r.type = 'Patient'
  AND (cardinality($2::bigint[]) = 0 OR r.keys && $2)
  AND ($3::bigint IS NULL OR r.date_low = $3)
  AND (cardinality($1::text[]) = 0 OR r.patient IN (
        SELECT s.patient FROM search_string s
        WHERE s.type = 'Patient' AND s.name = 'name'
          AND s.value LIKE replace(replace(($1::text[])[1], '%', '\%'), '_', '\_') || '%'))
  AND NOT EXISTS (
        SELECT FROM unnest($1::text[]) AS word
        WHERE NOT EXISTS (
            SELECT FROM search_string s
            WHERE s.patient = r.patient AND s.type = 'Patient' AND s.id = r.id AND s.name = 'name'
              AND starts_with(s.value, word)))
ORDER BY r.date_low, r.patient
LIMIT $4

-- name: patients
-- The Patient resources of some inhabitants.
SELECT patient, type, id, version, last_updated, false AS deleted, body
FROM resource
WHERE patient = ANY ($1::bigint[]) AND type = 'Patient'
