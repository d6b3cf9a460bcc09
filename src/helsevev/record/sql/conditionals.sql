-- name: by_keys
-- Current resources of a type that carry an indexed key, two at most for each pair ($1, $2).
SELECT wanted.n, found.*
FROM unnest($1::resource_type[], $2::bigint[]) WITH ORDINALITY AS wanted (type, key, n)
CROSS JOIN LATERAL (
    SELECT patient, type, id, version, last_updated, false AS deleted, body
    FROM resource r
    WHERE r.type = wanted.type AND r.keys @> ARRAY[wanted.key]
    LIMIT 2
) AS found

-- name: first_by_keys
-- The oldest current resource of a type that carries an indexed key, for each pair ($1, $2).
SELECT wanted.n, found.*
FROM unnest($1::resource_type[], $2::bigint[]) WITH ORDINALITY AS wanted (type, key, n)
CROSS JOIN LATERAL (
    SELECT patient, type, id, version, last_updated, false AS deleted, body
    FROM resource r
    WHERE r.type = wanted.type AND r.keys @> ARRAY[wanted.key]
    ORDER BY r.id
    LIMIT 1
) AS found
