-- name: page
-- What is kept with inhabitant $1 after a (type $2, id $3), of types $4 (empty: all), written from
-- $5 on, whose date lies in $6 until $7 or which has none; of an encounter only what refers to it
-- by keys $8 (null: all) or is it ($9); so many ($10) and so many bytes ($11) at most, one at least.
SELECT patient, type, id, version, last_updated, false AS deleted, body
FROM (
    SELECT found.*,
        sum(octet_length(body)) OVER (ORDER BY type, id) - octet_length(body) AS before
    FROM (
        SELECT patient, type, id, version, last_updated, body
        FROM resource
        WHERE patient = $1 AND (type, id) > ($2::resource_type, $3::text)
          AND (cardinality($4::resource_type[]) = 0 OR type = ANY ($4::resource_type[]))
          AND last_updated >= $5::timestamptz
          AND (type = 'Patient' OR date_low = -4611686018427387904
               OR date_low < $7::bigint AND date_high > $6::bigint)
          AND ($8::bigint[] IS NULL OR keys && $8::bigint[] OR type = 'Patient'
               OR type = 'Encounter' AND id = $9::text)
        ORDER BY type, id
        LIMIT $10::integer
    ) AS found
) AS counted
WHERE before < $11::bigint
ORDER BY type, id
