-- name: of_instance
-- A resource's versions below a version number, newest first, deletions included.
-- $5 since; $6 and $7 the bounds of a time at which a version was the current one.
SELECT patient, type, id, version, last_updated, deleted, body
FROM (
    SELECT *, lead(last_updated) OVER (ORDER BY version) AS until
    FROM (
        SELECT patient, type, id, version, last_updated, false AS deleted, body
        FROM resource
        WHERE patient = $1 AND type = $2::resource_type AND id = $3
        UNION ALL
        SELECT patient, type, id, version, last_updated, deleted, body
        FROM resource_history
        WHERE patient = $1 AND type = $2::resource_type AND id = $3
    ) AS every
) AS versions
WHERE version < $4
  AND last_updated >= $5
  AND last_updated < $7
  AND (until IS NULL OR until > $6)
ORDER BY version DESC
LIMIT $8

-- name: of_all
-- All versions of all resources (or of type $9) before a place in the feed, newest first.
-- A place is (xid $1, seq $2, position $3); $4 since; $5 to $6 a time; $7 how many;
-- $8 whether the time bounds below, so that what was superseded before it is left out.
WITH listed AS (
    SELECT c.xid, c.seq, e.position, c.patient, e.type, e.id, e.version
    FROM change c
    CROSS JOIN LATERAL unnest(c.types::resource_type[], c.ids, c.versions)
        WITH ORDINALITY AS e (type, id, version, position)
    WHERE (c.xid, c.seq) <= ($1::bigint::text::xid8, $2::bigint)
      AND (c.xid, c.seq, e.position) < ($1::bigint::text::xid8, $2::bigint, $3::bigint)
      AND c.at >= $4::timestamptz AND c.at < $6::timestamptz
      AND ($9::text IS NULL OR (c.types @> ARRAY[$9::text] AND e.type = $9::resource_type))
      AND (NOT $8::boolean OR NOT EXISTS (
          SELECT FROM resource s
          WHERE s.patient = c.patient AND s.type = e.type AND s.id = e.id
            AND s.version = e.version + 1 AND s.last_updated <= $5::timestamptz
      ) AND NOT EXISTS (
          SELECT FROM resource_history s
          WHERE s.patient = c.patient AND s.type = e.type AND s.id = e.id
            AND s.version = e.version + 1 AND s.last_updated <= $5::timestamptz
      ))
    ORDER BY c.xid DESC, c.seq DESC, e.position DESC
    LIMIT $7
)
SELECT l.xid::text::bigint AS xid, l.seq, l.position,
       v.patient, v.type, v.id, v.version, v.last_updated, v.deleted, v.body
FROM listed l
CROSS JOIN LATERAL (
    SELECT patient, type, id, version, last_updated, false AS deleted, body
    FROM resource r
    WHERE r.patient = l.patient AND r.type = l.type AND r.id = l.id AND r.version = l.version
    UNION ALL
    SELECT patient, type, id, version, last_updated, deleted, body
    FROM resource_history h
    WHERE h.patient = l.patient AND h.type = l.type AND h.id = l.id AND h.version = l.version
) AS v
ORDER BY l.xid DESC, l.seq DESC, l.position DESC

-- name: of_patient
-- The same for what is kept with one inhabitant ($9).
WITH listed AS (
    SELECT c.xid, c.seq, e.position, c.patient, e.type, e.id, e.version
    FROM change c
    CROSS JOIN LATERAL unnest(c.types::resource_type[], c.ids, c.versions)
        WITH ORDINALITY AS e (type, id, version, position)
    WHERE c.patient = $9::bigint
      AND (c.xid, c.seq) <= ($1::bigint::text::xid8, $2::bigint)
      AND (c.xid, c.seq, e.position) < ($1::bigint::text::xid8, $2::bigint, $3::bigint)
      AND c.at >= $4::timestamptz AND c.at < $6::timestamptz
      AND (NOT $8::boolean OR NOT EXISTS (
          SELECT FROM resource s
          WHERE s.patient = $9 AND s.type = e.type AND s.id = e.id
            AND s.version = e.version + 1 AND s.last_updated <= $5::timestamptz
      ) AND NOT EXISTS (
          SELECT FROM resource_history s
          WHERE s.patient = $9 AND s.type = e.type AND s.id = e.id
            AND s.version = e.version + 1 AND s.last_updated <= $5::timestamptz
      ))
    ORDER BY c.xid DESC, c.seq DESC, e.position DESC
    LIMIT $7
)
SELECT l.xid::text::bigint AS xid, l.seq, l.position,
       v.patient, v.type, v.id, v.version, v.last_updated, v.deleted, v.body
FROM listed l
CROSS JOIN LATERAL (
    SELECT patient, type, id, version, last_updated, false AS deleted, body
    FROM resource r
    WHERE r.patient = $9 AND r.type = l.type AND r.id = l.id AND r.version = l.version
    UNION ALL
    SELECT patient, type, id, version, last_updated, deleted, body
    FROM resource_history h
    WHERE h.patient = $9 AND h.type = l.type AND h.id = l.id AND h.version = l.version
) AS v
ORDER BY l.xid DESC, l.seq DESC, l.position DESC
