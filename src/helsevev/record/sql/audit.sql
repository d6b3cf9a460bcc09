-- name: audit, planned once
-- Rows of the audit trail, many at once.
INSERT INTO audit_event
    (patient, id, transaction, at, outcome, action, interaction, actor, origin, purpose, reason,
     target, basis, request)
SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::timestamptz[], $5::smallint[],
                     $6::text[], $7::text[], $8::text[], $9::bigint[], $10::text[], $11::text[],
                     $12::text[], $13::text[], $14::text[])

-- name: origins, planned once
-- Who asks and from where, as rows of the trail will name it.
INSERT INTO audit_origin (id, content)
SELECT id, content::json FROM unnest($1::bigint[], $2::text[]) AS o (id, content)
ON CONFLICT (id) DO NOTHING

-- name: of_patient
-- Who has touched an inhabitant's record in a time, newest first, before a row.
SELECT e.patient, e.id, e.transaction, e.at, e.outcome, e.action, e.interaction, e.actor,
       e.actor_name, e.role, e.organisation, e.organisation_name, e.purpose, e.reason, e.target,
       e.basis, e.request, o.content::text AS origin
FROM audit_event e LEFT JOIN audit_origin o ON o.id = e.origin
WHERE e.patient = $1 AND e.id < $2 AND e.at >= $3 AND e.at < $4
ORDER BY e.id DESC
LIMIT $5

-- name: of_actor
-- What somebody has touched in a time, newest first, before a place.
SELECT e.patient, e.id, e.transaction, e.at, e.outcome, e.action, e.interaction, e.actor,
       e.actor_name, e.role, e.organisation, e.organisation_name, e.purpose, e.reason, e.target,
       e.basis, e.request, o.content::text AS origin
FROM audit_event e LEFT JOIN audit_origin o ON o.id = e.origin
WHERE hashtextextended(e.actor, 0) = hashtextextended($5, 0) AND e.actor = $5
  AND e.at >= $1 AND (e.at, e.id) < ($2, $3)
ORDER BY e.at DESC, e.id DESC
LIMIT $4

-- name: refused_in
-- What was refused in a time, newest first, before a place.
SELECT e.patient, e.id, e.transaction, e.at, e.outcome, e.action, e.interaction, e.actor,
       e.actor_name, e.role, e.organisation, e.organisation_name, e.purpose, e.reason, e.target,
       e.basis, e.request, o.content::text AS origin
FROM audit_event e LEFT JOIN audit_origin o ON o.id = e.origin
WHERE e.outcome = 8 AND e.at >= $1 AND (e.at, e.id) < ($2, $3)
ORDER BY e.at DESC, e.id DESC
LIMIT $4

-- name: touched_in
-- What was touched in a short time, newest first, before a place.
SELECT e.patient, e.id, e.transaction, e.at, e.outcome, e.action, e.interaction, e.actor,
       e.actor_name, e.role, e.organisation, e.organisation_name, e.purpose, e.reason, e.target,
       e.basis, e.request, o.content::text AS origin
FROM audit_event e LEFT JOIN audit_origin o ON o.id = e.origin
WHERE e.at >= $1 AND e.at <= $2 AND (e.at, e.id) < ($2, $3)
ORDER BY e.at DESC, e.id DESC
LIMIT $4

-- name: touched_of
-- Who has touched an inhabitant's record in a time, newest first, before a place.
SELECT e.patient, e.id, e.transaction, e.at, e.outcome, e.action, e.interaction, e.actor,
       e.actor_name, e.role, e.organisation, e.organisation_name, e.purpose, e.reason, e.target,
       e.basis, e.request, o.content::text AS origin
FROM audit_event e LEFT JOIN audit_origin o ON o.id = e.origin
WHERE e.patient = $5 AND e.at >= $1 AND (e.at, e.id) < ($2, $3)
ORDER BY e.at DESC, e.id DESC
LIMIT $4

-- name: of_time
-- What was touched in a time, anybody's, in the order of sealing, after a place.
SELECT e.patient, e.id, e.transaction, e.at, e.outcome, e.action, e.interaction, e.actor,
       e.actor_name, e.role, e.organisation, e.organisation_name, e.purpose, e.reason, e.target,
       e.basis, e.request, o.content::text AS origin, e.xid::text::bigint AS xid
FROM audit_event e LEFT JOIN audit_origin o ON o.id = e.origin
WHERE (e.xid, e.id) > ($1::bigint::text::xid8, $2::bigint)
  AND e.xid < pg_snapshot_xmin(pg_current_snapshot())
ORDER BY e.xid, e.id, e.patient
LIMIT $3

-- name: unsealed, planned once
-- Rows after a place, as leaves are made of them, in the order of sealing. Only transactions older
-- than every one still running are shown, so that no row can appear behind the log's back.
SELECT e.xid::text::bigint AS xid,
       e.patient, e.id, e.transaction, e.at, e.outcome, e.action, e.interaction, e.actor,
       e.purpose, e.reason, e.target, e.basis, e.request, e.origin, o.content::text,
       e.actor_name, e.role, e.organisation, e.organisation_name
FROM audit_event e LEFT JOIN audit_origin o ON o.id = e.origin
WHERE (e.xid, e.id) > ($1::bigint::text::xid8, $2::bigint)
  AND e.xid < pg_snapshot_xmin(pg_current_snapshot())
ORDER BY e.xid, e.id, e.patient
LIMIT $3

-- name: leaves
-- Rows by their keys, as leaves are made of them.
SELECT e.patient, e.id, e.transaction, e.at, e.outcome, e.action, e.interaction, e.actor,
       e.purpose, e.reason, e.target, e.basis, e.request, e.origin, o.content::text,
       e.actor_name, e.role, e.organisation, e.organisation_name
FROM unnest($1::bigint[], $2::bigint[]) AS sealed (patient, id)
JOIN audit_event e USING (patient, id)
LEFT JOIN audit_origin o ON o.id = e.origin

-- name: seal, planned once
-- What is sealed together.
INSERT INTO audit_batch (first, size, xid, id, sealed_at, patients, ids, hashes, subtrees)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)

-- name: last_batch, planned once
-- The end of the log.
SELECT first, size, xid, id, subtrees FROM audit_batch ORDER BY first DESC LIMIT 1

-- name: batches
-- What was sealed, in its order, from a leaf on.
SELECT first, size, xid, id, sealed_at, patients, ids, hashes, subtrees
FROM audit_batch WHERE first >= $1 ORDER BY first LIMIT $2

-- name: batch_ending
-- What was sealed just before a size.
SELECT first, size, xid, id, subtrees FROM audit_batch
WHERE first < $1 ORDER BY first DESC LIMIT 1

-- name: batch_of
-- What was sealed together with a row, at or after its time.
SELECT first, patients, ids FROM audit_batch
WHERE sealed_at >= $1 AND $2 = ANY (ids) ORDER BY sealed_at LIMIT 1

-- name: add_checkpoint
-- A signed checkpoint; the same one twice is one.
INSERT INTO audit_checkpoint (size, at, key, note) VALUES ($1, $2, $3, $4)
ON CONFLICT (size, key) DO NOTHING

-- name: last_checkpoint
-- The newest checkpoint.
SELECT size, at, note FROM audit_checkpoint ORDER BY size DESC, at DESC LIMIT 1

-- name: checkpoint_before
-- The newest checkpoint that was made at or before a time.
SELECT size, at, note FROM audit_checkpoint WHERE at <= $1 ORDER BY size DESC LIMIT 1

-- name: checkpoints
-- The checkpoints beyond a size, in their order.
SELECT size, at, key, note FROM audit_checkpoint
WHERE (size, key) > ($1::bigint, $2::text) AND size <= $3 ORDER BY size, key LIMIT $4

-- name: count_between
-- How many rows there are from a place of the order to another.
SELECT count(*) FROM audit_event
WHERE (xid, id) > ($1::bigint::text::xid8, $2::bigint)
  AND (xid, id) <= ($3::bigint::text::xid8, $4::bigint)

-- name: keys_between
-- The keys of those rows, page by page.
SELECT xid::text::bigint AS xid, id, patient, at, actor FROM audit_event
WHERE (xid, id) > ($1::bigint::text::xid8, $2::bigint)
  AND (xid, id) <= ($3::bigint::text::xid8, $4::bigint)
ORDER BY xid, id, patient LIMIT $5

-- name: waiting
-- How many settled rows wait for their seal, and since when; how many there are that are not settled.
SELECT count(*) FILTER (WHERE settled) AS settled, min(at) FILTER (WHERE settled) AS since,
       count(*) FILTER (WHERE NOT settled) AS unsettled
FROM (
    SELECT at, xid < pg_snapshot_xmin(pg_current_snapshot()) AS settled FROM audit_event
    WHERE (xid, id) > ($1::bigint::text::xid8, $2::bigint)
) AS rows

-- name: is_restored
-- Whether rows lie beyond what this server has done: they came from another one.
SELECT EXISTS (SELECT FROM audit_event WHERE xid >= pg_snapshot_xmax(pg_current_snapshot()))

-- name: is_ahead
-- Whether a transaction lies beyond what this server has done.
SELECT $1::bigint::text::xid8 >= pg_snapshot_xmax(pg_current_snapshot())

-- name: settle_sealed
-- After a restore: what is sealed comes before all that this server does.
UPDATE audit_event SET xid = '3'
WHERE (xid, id) <= ($1::bigint::text::xid8, $2::bigint)

-- name: settle_unsealed
-- After a restore: what is not sealed comes next.
UPDATE audit_event SET xid = '4'
WHERE (xid, id) > ($1::bigint::text::xid8, $2::bigint) AND xid <> '3'

-- name: event
-- One row of the trail.
SELECT e.patient, e.id, e.transaction, e.at, e.outcome, e.action, e.interaction, e.actor,
       e.actor_name, e.role, e.organisation, e.organisation_name, e.purpose, e.reason, e.target,
       e.basis, e.request, o.content::text AS origin
FROM audit_event e LEFT JOIN audit_origin o ON o.id = e.origin
WHERE e.patient = $1 AND e.id = $2

-- name: ask_about
-- What an inhabitant asks about a reading.
INSERT INTO audit_question (patient, id, asked_at, task) VALUES ($1, $2, $3, $4)
ON CONFLICT (patient, id) DO NOTHING

-- name: find
-- Unusual reads; more of what was found before only counts up.
INSERT INTO audit_finding
    (patient, id, found_at, read_at, due_at, changed_at, reads, rule, actor, actor_name, unit, day,
     why)
SELECT patient, id, found_at, read_at, due_at, found_at, reads, rule, actor, actor_name, unit, day,
       why::jsonb
FROM unnest($1::bigint[], $2::bigint[], $3::timestamptz[], $4::timestamptz[], $5::timestamptz[],
            $6::integer[], $7::text[], $8::text[], $9::text[], $10::text[], $11::text[],
            $12::text[])
    AS f (patient, id, found_at, read_at, due_at, reads, rule, actor, actor_name, unit, day, why)
ON CONFLICT (patient, actor, rule, day) DO UPDATE SET
    reads = audit_finding.reads + excluded.reads

-- name: findings
-- The worklist: what is not settled first, then by when it is due.
SELECT patient, id, found_at, read_at, due_at, changed_at, reads, rule, actor, actor_name, unit,
       why::text AS why, state, owner, owner_name, words
FROM audit_finding
WHERE ($1 = '' OR rule = $1) AND ($2 = '' OR state = $2)
ORDER BY state IN ('explained', 'breach'), due_at, id
LIMIT $3

-- name: finding
-- One finding.
SELECT patient, id, found_at, read_at, due_at, changed_at, reads, rule, actor, actor_name, unit,
       why::text AS why, state, owner, owner_name, words
FROM audit_finding WHERE patient = $1 AND id = $2

-- name: judge
-- What came of a finding, and who says so.
UPDATE audit_finding SET state = $3, words = $4, owner = $5, owner_name = $6, changed_at = $7
WHERE patient = $1 AND id = $2

-- name: rates
-- How many findings of each rule are open, were explained, and were breaches.
SELECT rule, count(*) AS found,
       count(*) FILTER (WHERE state = 'explained') AS explained,
       count(*) FILTER (WHERE state = 'breach') AS breaches
FROM audit_finding GROUP BY rule

-- name: take_reader
-- How far the search for unusual reads has come; who holds the row goes on.
SELECT xid, id FROM audit_reader FOR UPDATE SKIP LOCKED

-- name: move_reader
-- It has come this far.
UPDATE audit_reader SET xid = $1, id = $2

-- name: days
-- What some readers did on earlier days.
SELECT actor, day, records, hours FROM audit_day
WHERE actor = ANY ($1::text[]) AND day >= $2

-- name: count_day
-- How many records somebody opened on a day, and in which hours.
INSERT INTO audit_day (actor, day, records, hours)
SELECT * FROM unnest($1::text[], $2::date[], $3::integer[], $4::integer[])
ON CONFLICT (actor, day) DO UPDATE SET
    records = audit_day.records + excluded.records, hours = audit_day.hours | excluded.hours

-- name: ends
-- When the relations that reads rested on end.
SELECT patient, source_type || '/' || source_id AS source, max(end_at) AS end_at
FROM treatment_relation WHERE patient = ANY ($1::bigint[]) GROUP BY 1, 2

-- name: emergencies_without_relation
-- Stated emergencies of a time that no treatment relation has followed, but by their own word.
SELECT e.patient, e.id, e.started_at, e.actor, e.organisation, e.ground
FROM emergency_access e
WHERE e.started_at >= $1 AND e.started_at < $2
  AND NOT EXISTS (SELECT FROM treatment_relation t WHERE t.patient = e.patient
                  AND t.grantee IN (e.actor, e.organisation) AND t.maker <> e.actor)

-- name: own_words_alone
-- Relations that somebody stated in a time, and then wrote down themselves, which nobody else's word
-- has followed: each with the first entry that says so.
SELECT s.patient, s.started_at, s.actor, s.organisation, s.ground,
       min(o.source_type || '/' || o.source_id) AS source
FROM stated_relation s
JOIN self_made_tie o ON o.patient = s.patient AND o.maker = s.actor AND o.written_at >= s.started_at
WHERE s.started_at >= $1 AND s.started_at < $2
  AND NOT EXISTS (SELECT FROM treatment_relation t WHERE t.patient = s.patient
                  AND t.grantee IN (s.actor, s.organisation) AND t.maker <> s.actor)
GROUP BY s.patient, s.started_at, s.actor, s.organisation, s.ground

-- name: staff_numbered
-- Who of the staff has one of some national numbers, by their hashes.
SELECT number, r.id FROM unnest($1::bigint[]) AS wanted (number)
JOIN resource r ON r.type = 'Practitioner'::resource_type AND r.keys @> ARRAY[number]
WHERE r.patient = 0

-- name: emergencies_of
-- How often an inhabitant's record was opened in an emergency since a time, and when last.
SELECT count(*) AS times, max(started_at) AS newest FROM emergency_access
WHERE patient = $1 AND started_at >= $2

-- name: alarms_to_answer
-- The newest alarms; those that nobody has answered first.
SELECT id, at, kind, person, person_name, organisation, seen_at, seen_by_name, done
FROM security_alarm ORDER BY seen_at IS NOT NULL, at DESC LIMIT $1

-- name: answer_alarm
-- What was done about an alarm, and by whom; the first answer stays.
UPDATE security_alarm SET
    seen_by = CASE WHEN done = '' THEN $3 ELSE seen_by END,
    seen_by_name = CASE WHEN done = '' THEN $4 ELSE seen_by_name END,
    seen_at = CASE WHEN done = '' THEN $2 ELSE seen_at END,
    done = CASE WHEN done = '' THEN $5 ELSE done END
WHERE id = $1
RETURNING id
