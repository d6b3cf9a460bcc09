-- name: combinations
-- One resource (of type $1, null: of each type) for each combination of common values; labels are
-- among these, so that whatever label is in use stands in one of them.
SELECT DISTINCT ON (r.type, r.token_set)
    r.patient, r.type, r.id, r.version, r.last_updated, false AS deleted, r.body
FROM (
    SELECT type, token_set, min(patient) AS patient
    FROM resource
    WHERE $1::text IS NULL OR type = $1::text::resource_type
    GROUP BY type, token_set
) AS combination
JOIN resource r USING (patient, type, token_set)
