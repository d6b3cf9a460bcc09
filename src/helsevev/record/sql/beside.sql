-- name: beside
-- What a rule looks at besides a resource of inhabitant $1: every version of another ($2 type,
-- $3 id), oldest first, and the current resources of type $4 whose clinical date is $5 or later.
(
    SELECT true AS is_version, id, version, last_updated, deleted, body
    FROM (
        SELECT id, version, last_updated, false AS deleted, body
        FROM resource
        WHERE patient = $1 AND type = $2::resource_type AND id = $3
        UNION ALL
        SELECT id, version, last_updated, deleted, body
        FROM resource_history
        WHERE patient = $1 AND type = $2::resource_type AND id = $3
    ) AS every
    ORDER BY version
)
UNION ALL
(
    SELECT false, id, version, last_updated, false, body
    FROM resource
    WHERE patient = $1 AND type = $4::resource_type AND date_low >= $5
    ORDER BY date_low
)
