-- name: by_keys
-- Current resources of a type that carry an indexed key, two at most for each pair ($1, $2). Apart, for
-- a limit would have the planner hope to meet two soon, and read the whole table where there is none.
SELECT wanted.n, found.*
FROM unnest($1::resource_type[], $2::bigint[]) WITH ORDINALITY AS wanted (type, key, n)
CROSS JOIN LATERAL (
    WITH carrying AS MATERIALIZED (
        SELECT patient, type, id, version, last_updated, false AS deleted, body
        FROM resource r
        WHERE r.type = wanted.type AND r.keys @> ARRAY[wanted.key]
    )
    SELECT * FROM carrying LIMIT 2
) AS found

-- name: first_by_keys
-- The oldest current resource of a type that carries an indexed key, for each pair ($1, $2).
SELECT wanted.n, found.*
FROM unnest($1::resource_type[], $2::bigint[]) WITH ORDINALITY AS wanted (type, key, n)
CROSS JOIN LATERAL (
    WITH carrying AS MATERIALIZED (
        SELECT patient, type, id, version, last_updated, false AS deleted, body
        FROM resource r
        WHERE r.type = wanted.type AND r.keys @> ARRAY[wanted.key]
    )
    SELECT * FROM carrying ORDER BY id LIMIT 1
) AS found
