-- name: read, planned once
-- The current version of one resource.
SELECT patient, type, id, version, last_updated, false AS deleted, body
FROM resource
WHERE patient = $1 AND type = $2::resource_type AND id = $3

-- name: read_version, planned once
-- One version of one resource, current or superseded.
SELECT patient, type, id, version, last_updated, false AS deleted, body
FROM resource
WHERE patient = $1 AND type = $2::resource_type AND id = $3 AND version = $4
UNION ALL
SELECT patient, type, id, version, last_updated, deleted, body
FROM resource_history
WHERE patient = $1 AND type = $2::resource_type AND id = $3 AND version = $4

-- name: latest_superseded, planned once
-- The newest row of a resource that has no current version: its deletion, or nothing.
SELECT patient, type, id, version, last_updated, deleted, body
FROM resource_history
WHERE patient = $1 AND type = $2::resource_type AND id = $3
ORDER BY version DESC
LIMIT 1

-- name: directory, planned once
-- The inhabitant under whom a resource with a client-chosen id is kept.
SELECT patient FROM directory WHERE key = $1

-- name: directory_many, planned once
-- The same for many.
SELECT key, patient FROM directory WHERE key = ANY ($1::bigint[])

-- name: read_many, planned once
-- The current versions of many resources, whose places are known.
SELECT r.patient, r.type, r.id, r.version, r.last_updated, false AS deleted, r.body
FROM unnest($1::bigint[], $2::resource_type[], $3::text[]) AS wanted (patient, type, id)
JOIN resource r USING (patient, type, id)

-- name: versions_many, planned once
-- The newest version number of many resources, deletions included.
SELECT type, id, max(version) AS version, bool_and(deleted) AS deleted
FROM (
    SELECT r.type, r.id, r.version, false AS deleted
    FROM unnest($1::bigint[], $2::resource_type[], $3::text[]) AS wanted (patient, type, id)
    JOIN resource r USING (patient, type, id)
    UNION ALL
    SELECT h.type, h.id, h.version, true
    FROM unnest($1::bigint[], $2::resource_type[], $3::text[]) AS wanted (patient, type, id)
    JOIN resource_history h USING (patient, type, id)
) AS versions
GROUP BY type, id

-- name: slices, planned once
-- For each (type, how many): an inhabitant's newest resources by clinical date. A chart is one of these.
SELECT found.type, found.id, found.version, found.last_updated, found.body
FROM unnest($2::resource_type[], $3::integer[]) AS slice (type, most)
CROSS JOIN LATERAL (
    SELECT type, id, version, last_updated, date_low, body
    FROM resource r
    WHERE r.patient = $1 AND r.type = slice.type
    ORDER BY r.date_low DESC
    LIMIT slice.most
) AS found

-- name: known_inhabitants, planned once
-- Those of some inhabitants of whom the record holds something, or has held.
SELECT w.patient FROM unnest($1::bigint[]) AS w (patient)
WHERE EXISTS (SELECT FROM resource r WHERE r.patient = w.patient)
   OR EXISTS (SELECT FROM resource_history h WHERE h.patient = w.patient)

-- name: write, planned once
-- Everything that writes leave behind, in one statement: current rows, superseded versions, search
-- rows, directory, codings, token sets, audit trail and change feed. A version that is not the
-- expected one undoes it all (SQLSTATE HV409).
WITH incoming AS (
    SELECT patient, type, id, version, code, date_low, date_high,
           keys::bigint[] AS keys, token_set, body, transaction, at, actor
    FROM unnest($1::bigint[], $2::resource_type[], $3::text[], $4::integer[], $5::bigint[],
                $6::bigint[], $7::bigint[], $8::text[], $9::bigint[], $10::bytea[],
                $11::bigint[], $12::timestamptz[], $13::text[])
        AS i (patient, type, id, version, code, date_low, date_high, keys, token_set, body,
              transaction, at, actor)
), superseded AS (
    INSERT INTO resource_history
        (patient, type, id, version, last_updated, deleted, body)
    SELECT r.patient, r.type, r.id, r.version, r.last_updated, false, r.body
    FROM resource r JOIN incoming i USING (patient, type, id)
    WHERE r.version = i.version - 1
    RETURNING patient, type, id
), written AS (
    INSERT INTO resource
        (patient, type, id, version, last_updated, code, date_low, date_high, keys, token_set,
         body)
    SELECT patient, type, id, version, at, code, date_low, date_high, keys, token_set, body
    FROM incoming
    ON CONFLICT (patient, type, id) DO UPDATE SET
        version = excluded.version, last_updated = excluded.last_updated,
        code = excluded.code, date_low = excluded.date_low, date_high = excluded.date_high,
        keys = excluded.keys, token_set = excluded.token_set, body = excluded.body
    WHERE resource.version = excluded.version - 1
    RETURNING 1
), gone_strings AS (
    DELETE FROM search_string s USING incoming i
    WHERE i.version > 1 AND s.patient = i.patient AND s.type = i.type AND s.id = i.id
), gone_dates AS (
    DELETE FROM search_date s USING incoming i
    WHERE i.version > 1 AND s.patient = i.patient AND s.type = i.type AND s.id = i.id
), gone_quantities AS (
    DELETE FROM search_quantity s USING incoming i
    WHERE i.version > 1 AND s.patient = i.patient AND s.type = i.type AND s.id = i.id
), gone_texts AS (
    DELETE FROM search_text s USING incoming i
    WHERE i.version > 1 AND s.patient = i.patient AND s.type = i.type AND s.id = i.id
), strings AS (
    INSERT INTO search_string (patient, type, id, name, value)
    SELECT * FROM unnest($14::bigint[], $15::resource_type[], $16::text[], $17::text[],
                         $18::text[])
), dates AS (
    INSERT INTO search_date (patient, type, id, name, low, high)
    SELECT * FROM unnest($19::bigint[], $20::resource_type[], $21::text[], $22::text[],
                         $23::bigint[], $24::bigint[])
), quantities AS (
    INSERT INTO search_quantity (patient, type, id, name, unit, system_unit, value, code)
    SELECT * FROM unnest($25::bigint[], $26::resource_type[], $27::text[], $28::text[],
                         $29::bigint[], $30::bigint[], $31::numeric[], $32::bigint[])
), texts AS (
    INSERT INTO search_text (patient, type, id, words)
    SELECT patient, type, id, words_of(narrative, content)
    FROM unnest($33::bigint[], $34::resource_type[], $35::text[], $36::text[], $37::text[])
        AS t (patient, type, id, narrative, content)
), listed AS (
    INSERT INTO directory (key, patient) SELECT * FROM unnest($38::bigint[], $39::bigint[])
), sets AS (
    INSERT INTO token_set (id, tokens)
    SELECT id, tokens::bigint[] FROM unnest($40::bigint[], $41::text[]) AS s (id, tokens)
    ON CONFLICT (id) DO NOTHING
), codings AS (
    INSERT INTO coding (code, system, hash, is_leading)
    SELECT * FROM unnest($42::text[], $43::text[], $44::bigint[], $45::boolean[])
    ON CONFLICT (hash, is_leading) DO NOTHING
), changes AS (
    INSERT INTO change (transaction, patient, at, actor, verbs, types, ids, versions)
    SELECT transaction, patient, at, actor,
           string_agg(CASE version WHEN 1 THEN 'C' ELSE 'U' END, '' ORDER BY n),
           array_agg(type ORDER BY n), array_agg(id ORDER BY n), array_agg(version ORDER BY n)
    FROM (SELECT *, row_number() OVER () AS n FROM incoming) AS numbered
    GROUP BY transaction, patient, at, actor
), audits AS (
    INSERT INTO audit_event
        (patient, id, target, transaction, at, outcome, actor, interaction, origin, request, basis,
         action, purpose, reason)
    SELECT patient, id, target, transaction, at, 0, actor, interaction, origin, request, basis,
           'write', purpose, reason
    FROM unnest($46::bigint[], $47::bigint[], $48::text[], $49::bigint[], $50::timestamptz[],
                $51::text[], $52::text[], $53::bigint[], $54::text[], $55::text[], $56::text[],
                $57::text[])
        AS a (patient, id, target, transaction, at, actor, interaction, origin, request, basis,
              purpose, reason)
), remembered AS (
    INSERT INTO idempotency_key (actor, key, transaction, at, fingerprint, result)
    SELECT actor, key, transaction, at, fingerprint, result::jsonb
    FROM unnest($58::text[], $59::text[], $60::bigint[], $61::timestamptz[], $62::bytea[],
                $63::text[])
        AS k (actor, key, transaction, at, fingerprint, result)
)
SELECT CASE WHEN (SELECT count(*) FROM written) <> cardinality($1::bigint[])
                 OR EXISTS (SELECT FROM incoming i
                            WHERE i.version > 1
                              AND (i.patient, i.type, i.id) NOT IN (SELECT * FROM superseded)
                              AND i.version IS DISTINCT FROM (
                                  SELECT max(h.version) + 1 FROM resource_history h
                                  WHERE (h.patient, h.type, h.id) = (i.patient, i.type, i.id)))
            THEN refuse('a version is not the expected one')
            WHEN $64::text <> indexing_state() THEN refuse_outdated() ELSE 0 END

-- name: require_state
-- Undo the transaction when its writer did not know every search parameter that was added.
SELECT CASE WHEN $1::text <> indexing_state() THEN refuse_outdated() ELSE 0 END

-- name: append
-- What new rows that were copied into their tables leave besides: token sets, codings, audit trail
-- and idempotency key.
WITH sets AS (
    INSERT INTO token_set (id, tokens)
    SELECT id, tokens::bigint[] FROM unnest($1::bigint[], $2::text[]) AS s (id, tokens)
    ON CONFLICT (id) DO NOTHING
), codings AS (
    INSERT INTO coding (code, system, hash, is_leading)
    SELECT * FROM unnest($3::text[], $4::text[], $5::bigint[], $6::boolean[])
    ON CONFLICT (hash, is_leading) DO NOTHING
), audits AS (
    INSERT INTO audit_event
        (patient, id, target, transaction, at, outcome, actor, interaction, origin, request, basis,
         action, purpose, reason)
    SELECT patient, id, target, transaction, at, 0, actor, interaction, origin, request, basis,
           'write', purpose, reason
    FROM unnest($7::bigint[], $8::bigint[], $9::text[], $10::bigint[], $11::timestamptz[],
                $12::text[], $13::text[], $14::bigint[], $15::text[], $16::text[], $17::text[],
                $18::text[])
        AS a (patient, id, target, transaction, at, actor, interaction, origin, request, basis,
              purpose, reason)
)
INSERT INTO idempotency_key (actor, key, transaction, at, fingerprint, result)
SELECT actor, key, transaction, at, fingerprint, result::jsonb
FROM unnest($19::text[], $20::text[], $21::bigint[], $22::timestamptz[], $23::bytea[], $24::text[])
    AS k (actor, key, transaction, at, fingerprint, result)

-- name: append_texts
-- The words of new resources.
INSERT INTO search_text (patient, type, id, words)
SELECT patient, type, id, words_of(narrative, content)
FROM unnest($1::bigint[], $2::resource_type[], $3::text[], $4::text[], $5::text[])
    AS t (patient, type, id, narrative, content)

-- name: delete, planned once
-- Takes a resource out of the record's present; every version stays, and its deletion is one more.
WITH gone AS (
    DELETE FROM resource
    WHERE patient = $1 AND type = $2::resource_type AND id = $3 AND version = $4
    RETURNING *
), kept AS (
    INSERT INTO resource_history
        (patient, type, id, version, last_updated, deleted, body)
    SELECT patient, type, id, version, last_updated, false, body FROM gone
    UNION ALL
    SELECT patient, type, id, version + 1, $6, true, ''::bytea FROM gone
), strings AS (
    DELETE FROM search_string WHERE patient = $1 AND type = $2::resource_type AND id = $3
), dates AS (
    DELETE FROM search_date WHERE patient = $1 AND type = $2::resource_type AND id = $3
), quantities AS (
    DELETE FROM search_quantity WHERE patient = $1 AND type = $2::resource_type AND id = $3
), texts AS (
    DELETE FROM search_text WHERE patient = $1 AND type = $2::resource_type AND id = $3
), changes AS (
    INSERT INTO change (transaction, patient, at, actor, verbs, types, ids, versions)
    SELECT $5, patient, $6, $7, 'D', ARRAY[type], ARRAY[id], ARRAY[version + 1] FROM gone
)
SELECT CASE WHEN (SELECT count(*) FROM gone) <> 1
            THEN refuse('a version is not the expected one') ELSE 0 END

-- name: idempotent_result, planned once
-- What an earlier write with the same key left.
SELECT fingerprint, result FROM idempotency_key WHERE actor = $1 AND key = $2

-- name: dictionary
-- A dictionary as it is kept beside the data.
SELECT content FROM dictionary WHERE id = $1

-- name: store_dictionary
-- Keep the dictionary that bodies are compressed with.
INSERT INTO dictionary (id, content) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING

-- name: changes_after
-- Committed changes after a place (xid, seq) in the feed. Only transactions older than every one
-- still running are shown, so that nothing can appear behind a reader's back.
SELECT xid::text::bigint AS xid, seq, transaction, patient, at, actor, verbs, types, ids, versions
FROM change
WHERE (xid, seq) > ($1::bigint::text::xid8, $2::bigint)
  AND xid < pg_snapshot_xmin(pg_current_snapshot())
ORDER BY xid, seq
LIMIT $3

-- name: patient_of
-- The id of the Patient of an inhabitant.
SELECT id FROM resource WHERE patient = $1 AND type = 'Patient' ORDER BY id LIMIT 1

-- name: changes_of_patient_after
-- The same for one inhabitant.
SELECT xid::text::bigint AS xid, seq, transaction, patient, at, actor, verbs, types, ids, versions
FROM change
WHERE patient = $1 AND (xid, seq) > ($2::bigint::text::xid8, $3::bigint)
  AND xid < pg_snapshot_xmin(pg_current_snapshot())
ORDER BY xid, seq
LIMIT $4

-- name: now_settled
-- A place in the feed before which everything has been shown, for a reader that starts now.
SELECT (pg_snapshot_xmin(pg_current_snapshot())::text::bigint - 1) AS xid

-- name: tell_ties
-- Tell every process, on channel $1, for which inhabitants it may have changed who treats them.
SELECT pg_notify($1, $2)

-- name: settle_restored_changes
-- After a restore the feed's transactions belong to another server and may seem to lie ahead.
-- All of them are over; their numbers keep the order.
UPDATE change SET xid = '3'
WHERE EXISTS (SELECT FROM change WHERE xid >= pg_snapshot_xmax(pg_current_snapshot()))
