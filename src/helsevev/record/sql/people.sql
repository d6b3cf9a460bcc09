-- name: find_by_number
-- Inhabitants with one of these identifiers, whatever its system.
SELECT patient, type, id, version, last_updated, false AS deleted, body
FROM resource
WHERE type = 'Patient' AND keys && $1::bigint[]
ORDER BY patient
LIMIT $2

-- name: find_by_birth_date
-- Inhabitants born on the day that begins at $1 (microseconds).
SELECT patient, type, id, version, last_updated, false AS deleted, body
FROM resource
WHERE type = 'Patient' AND date_low = $1
ORDER BY patient
LIMIT $2

-- name: find_by_name
-- Inhabitants with a name part that begins with $1 (up to, not including, $2) and one for each of
-- $3; born on the day that begins at $4, or on any day (null).
SELECT r.patient, r.type, r.id, r.version, r.last_updated, false AS deleted, r.body
FROM resource r
WHERE r.type = 'Patient'
  AND r.patient IN (
        SELECT s.patient FROM search_string s
        WHERE s.type = 'Patient' AND s.name = 'name' AND s.value >= $1 AND s.value < $2)
  AND NOT EXISTS (
        SELECT FROM unnest($3::text[]) AS word
        WHERE NOT EXISTS (
            SELECT FROM search_string s
            WHERE s.patient = r.patient AND s.type = 'Patient' AND s.id = r.id AND s.name = 'name'
              AND starts_with(s.value, word)))
  AND ($4::bigint IS NULL OR r.date_low = $4)
ORDER BY r.date_low, r.patient
LIMIT $5

-- name: patients
-- The Patient resources of some inhabitants.
SELECT patient, type, id, version, last_updated, false AS deleted, body
FROM resource
WHERE patient = ANY ($1::bigint[]) AND type = 'Patient'

-- name: candidates
-- Inhabitants who may be one person with somebody: by an identifier ($1), by the day of birth that
-- begins at $2, or by a family name that begins with one of $3. At most $4 of each.
(SELECT patient, type, id, version, last_updated, false AS deleted, body
 FROM resource WHERE type = 'Patient' AND keys && $1::bigint[] LIMIT $4)
UNION
(SELECT patient, type, id, version, last_updated, false, body
 FROM resource WHERE type = 'Patient' AND date_low = $2 LIMIT $4)
UNION
(SELECT r.patient, r.type, r.id, r.version, r.last_updated, false, r.body
 FROM unnest($3::text[]) AS wanted (name)
 JOIN search_string s ON s.type = 'Patient' AND s.name = 'family'
     AND s.value >= wanted.name AND s.value < wanted.name || chr(1114111)
 JOIN resource r ON r.patient = s.patient AND r.type = 'Patient' AND r.id = s.id
 LIMIT $4)

-- name: record_of
-- Everything current that is kept with an inhabitant, but the Patient; at most $2.
SELECT patient, type, id, version, last_updated, false AS deleted, body
FROM resource
WHERE patient = $1 AND type <> 'Patient'
ORDER BY type, id
LIMIT $2

-- name: referring_elsewhere
-- Whatever is kept elsewhere than with inhabitant $1 and refers to something by a key of $2; at
-- most $3.
SELECT patient, type, id, version, last_updated, false AS deleted, body
FROM resource
WHERE keys && $2::bigint[] AND patient <> $1
LIMIT $3

-- name: persons_of
-- The Patient and the related persons of some inhabitants, who may share an address.
SELECT patient, type, id, version, last_updated, false AS deleted, body
FROM resource
WHERE patient = ANY ($1::bigint[]) AND type IN ('Patient', 'RelatedPerson')
