-- name: labelled, planned once
-- Which of some entries have one of some labels (hashes, $4), and which of them.
SELECT r.patient, r.type, r.id,
       ARRAY(SELECT label FROM unnest($4::bigint[]) AS label WHERE label = ANY (r.keys)) AS labels
FROM unnest($1::bigint[], $2::resource_type[], $3::text[]) AS wanted (patient, type, id)
JOIN resource r USING (patient, type, id)
WHERE r.keys && $4::bigint[]

-- name: labelled_of, planned once
-- Which entries of an inhabitant have one of some labels (hashes, $2), and which of them.
SELECT r.patient, r.type, r.id,
       ARRAY(SELECT label FROM unnest($2::bigint[]) AS label WHERE label = ANY (r.keys)) AS labels
FROM resource r
WHERE r.patient = $1 AND r.keys && $2::bigint[]

-- name: persons_ever
-- The Patient and the related persons of some inhabitants, as they are and as they were: whoever
-- moved has an old address that may still tell.
SELECT patient, type, id, version, last_updated, false AS deleted, body
FROM resource
WHERE patient = ANY ($1::bigint[]) AND type IN ('Patient', 'RelatedPerson')
UNION ALL
SELECT patient, type, id, version, last_updated, deleted, body
FROM resource_history
WHERE patient = ANY ($1::bigint[]) AND type IN ('Patient', 'RelatedPerson') AND NOT deleted
