-- name: newest, planned once
-- For each (type, how many, tokens): an inhabitant's newest resources by clinical date that hold
-- none of the tokens; null: of all. A chart is one of these.
WITH slice AS MATERIALIZED (
    SELECT s.type, s.most, s.without::bigint[] AS without
    FROM unnest($2::resource_type[], $3::integer[], $4::text[]) AS s (type, most, without)
)
SELECT found.type, found.id, found.version, found.last_updated, found.body
FROM slice
CROSS JOIN LATERAL (
    SELECT type, id, version, last_updated, date_low, body
    FROM resource r
    WHERE r.patient = $1 AND r.type = slice.type
      AND (slice.without IS NULL OR NOT EXISTS (
          SELECT FROM token_set t WHERE t.id = r.token_set AND t.tokens && slice.without))
    ORDER BY r.date_low DESC
    LIMIT slice.most
) AS found
