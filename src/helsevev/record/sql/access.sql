-- name: ties, planned once
-- What ties an actor to each of some inhabitants now, and what keeps them out: the nearest treatment
-- relation (to who replaced them, too), as its rank (1 the person, 2 the unit, 3 what it is part of)
-- and where it is written, but for what is the actor's own word alone (migration 0029); a stated
-- emergency, a stated relation; the inhabitant's blocks that name the actor or everyone; how the
-- actor acts for them; the Patient's labels and birth date, and the labels of those close to them.
-- $1 inhabitants, $2 the actor's grantees, $3 now in microseconds, $4 actor, $5 now, $6 references
-- of the person, $7 of the unit, $8 the inhabitant who acts for others (null), $9 hashes of labels.
SELECT
    wanted.patient,
    coalesce((SELECT min(greatest(CASE WHEN t.grantee = ANY ($6::text[]) THEN 1
                                       WHEN t.grantee = ANY ($7::text[]) THEN 2 ELSE 3 END,
                                  CASE WHEN t.maker = $4 AND t.others_until <= $3
                                       THEN t.cap ELSE 0 END)
                         || t.source_type || '/' || t.source_id)
              FROM treatment_relation t
              WHERE t.patient = wanted.patient AND t.grantee = ANY ($2::text[])
                AND t.start_at <= $3 AND t.end_at > $3
                AND (t.maker <> $4 OR t.others_until > $3 OR t.cap < 9)),
             (SELECT min(greatest(CASE WHEN t.grantee = ANY ($6::text[]) THEN 1
                                       WHEN t.grantee = ANY ($7::text[]) THEN 2 ELSE 3 END,
                                  CASE WHEN t.maker = $4 AND t.others_until <= $3
                                       THEN t.cap ELSE 0 END)
                         || t.source_type || '/' || t.source_id)
              FROM replaced_person p JOIN treatment_relation t ON t.patient = p.target
              WHERE p.patient = wanted.patient AND t.grantee = ANY ($2::text[])
                AND t.start_at <= $3 AND t.end_at > $3
                AND (t.maker <> $4 OR t.others_until > $3 OR t.cap < 9))) AS relation,
    (SELECT max(e.expires_at) FROM emergency_access e
     WHERE e.patient = wanted.patient AND e.actor = $4 AND e.expires_at > $5) AS emergency_until,
    (SELECT max(s.expires_at) FROM stated_relation s
     WHERE s.patient = wanted.patient AND s.actor = $4 AND s.expires_at > $5) AS stated_until,
    (SELECT json_agg(json_build_array(b.grantee, b.label, b.entry_type, b.entry_id, b.exempt))
     FROM record_block b
     WHERE b.patient = wanted.patient AND (b.grantee = '*' OR b.grantee = ANY ($2::text[]))
       AND b.start_at <= $3 AND b.end_at > $3)::text AS blocks,
    (SELECT min(r.kind || ' ' || r.scope) FROM representation r
     WHERE $8::bigint IS NOT NULL AND r.patient = wanted.patient
       AND r.start_at <= $3 AND r.end_at > $3
       AND r.representative = ANY ((SELECT m.keys FROM resource m
                                    WHERE m.patient = $8 AND m.type = 'Patient' LIMIT 1)::bigint[])
    ) AS represents,
    person.date_low AS born,
    ARRAY(SELECT label FROM unnest($9::bigint[]) AS label WHERE label = ANY (person.keys)) AS labels,
    ARRAY(SELECT label FROM unnest($9::bigint[]) AS label WHERE EXISTS
        (SELECT FROM resource family WHERE family.patient = wanted.patient
         AND family.type = 'RelatedPerson' AND label = ANY (family.keys))) AS of_family
FROM unnest($1::bigint[]) AS wanted (patient)
LEFT JOIN resource person ON person.patient = wanted.patient AND person.type = 'Patient'

-- name: blocked_for
-- What inhabitants have blocked for an actor or for everyone, of everyone's records.
-- $1 the actor's grantees, $2 now in microseconds.
SELECT patient, grantee, label, entry_type, entry_id, exempt
FROM record_block
WHERE (grantee = '*' OR grantee = ANY ($1::text[])) AND start_at <= $2 AND end_at > $2

-- name: marked_at_a_distance
-- Inhabitants whose record is marked ($3) and whom the actor is tied to by what the unit is part of
-- or by their own word, but not nearer. $1 the actor's grantees, $2 now in microseconds, $4 the near
-- ones of the grantees, $5 actor, $6 now.
SELECT tied.patient
FROM (SELECT t.patient, bool_or(t.grantee = ANY ($4::text[])
                                AND (t.maker <> $5 OR t.others_until > $2 OR t.cap <= 2)) AS near FROM treatment_relation t
      WHERE t.grantee = ANY ($1::text[]) AND t.start_at <= $2 AND t.end_at > $2
        AND (t.maker <> $5 OR t.others_until > $2 OR t.cap < 9)
      GROUP BY t.patient
      UNION ALL
      SELECT s.patient, false FROM stated_relation s WHERE s.actor = $5 AND s.expires_at > $6
     ) AS tied
JOIN resource p ON p.patient = tied.patient AND p.type = 'Patient'
WHERE NOT tied.near AND p.keys && $3::bigint[]

-- name: holds_any, planned once
-- Whether an inhabitant's record holds an entry with one of some labels (hashes).
SELECT EXISTS (SELECT FROM resource WHERE patient = $1 AND keys && $2::bigint[])

-- name: state_relation
-- "I am treating this person now", for a limited time.
INSERT INTO stated_relation
    (patient, id, started_at, expires_at, actor, organisation, ground, reason)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)

-- name: own_words
-- Which ties of an entry are somebody's own word (access/own_word.py).
SELECT grantee, maker, others_until, cap FROM self_made_tie
WHERE patient = $1 AND source_type = $2 AND source_id = $3

-- name: keep_own_words
-- Ties of an entry that is about to be stored which are their writer's own word.
INSERT INTO self_made_tie
    (patient, source_type, source_id, written_at, grantee, maker, others_until, cap)
SELECT $1, $2, $3, $4, claim.*
FROM unnest($5::text[], $6::text[], $7::bigint[], $8::smallint[]) AS claim
ON CONFLICT (patient, source_type, source_id, grantee) DO UPDATE SET
    maker = excluded.maker, others_until = excluded.others_until, cap = excluded.cap

-- name: forget_own_words
-- Another has written what was somebody's own word, or it is no longer said.
DELETE FROM self_made_tie
WHERE patient = $1 AND source_type = $2 AND source_id = $3 AND grantee = ANY ($4::text[])

-- name: relations_of
-- Every treatment relation between an inhabitant and an actor's references, past ones too.
SELECT grantee, source_type, source_id, start_at, end_at
FROM treatment_relation WHERE patient = $1 AND grantee = ANY ($2::text[])
ORDER BY end_at DESC, source_type, source_id

-- name: represented_by
-- For whom an inhabitant may act now, as what, and until when.
SELECT r.patient, r.kind, r.scope, max(r.end_at) AS end_at
FROM resource m JOIN representation r ON r.representative = ANY (m.keys)
WHERE m.patient = $1 AND m.type = 'Patient' AND r.start_at <= $2 AND r.end_at > $2
GROUP BY r.patient, r.kind, r.scope
ORDER BY r.patient, r.kind DESC, r.scope DESC

-- name: my_patients
-- The inhabitants whom an actor's unit treats now, or whom the actor opened in an emergency.
SELECT patient, bool_or(related) AS related
FROM (
    SELECT patient, true AS related FROM treatment_relation
    WHERE grantee = ANY ($1::text[]) AND start_at <= $2 AND end_at > $2
      AND (maker <> $3 OR others_until > $2 OR cap < 9)
    UNION ALL
    SELECT patient, false FROM emergency_access WHERE actor = $3 AND expires_at > $4
    UNION ALL
    SELECT patient, false FROM stated_relation WHERE actor = $3 AND expires_at > $4
) AS ties
GROUP BY patient
LIMIT $5

-- name: everyone_tied
-- Everyone whom an actor is tied to: by units, by who was replaced by one of those, by their word.
SELECT patient FROM treatment_relation
WHERE grantee = ANY ($1::text[]) AND start_at <= $2 AND end_at > $2
  AND (maker <> $3 OR others_until > $2 OR cap < 9)
UNION
SELECT p.patient FROM replaced_person p JOIN treatment_relation t ON t.patient = p.target
WHERE t.grantee = ANY ($1::text[]) AND t.start_at <= $2 AND t.end_at > $2
  AND (t.maker <> $3 OR t.others_until > $2 OR t.cap < 9)
UNION
SELECT patient FROM emergency_access WHERE actor = $3 AND expires_at > $4
UNION
SELECT patient FROM stated_relation WHERE actor = $3 AND expires_at > $4

-- name: break_glass
-- A stated emergency, for a limited time.
INSERT INTO emergency_access
    (patient, id, started_at, expires_at, actor, organisation, ground, reason)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)

-- name: start_session
-- A signed-in browser; only the hash of its token is kept.
INSERT INTO session
    (token_hash, created_at, expires_at, actor, id, person, method, seen_at, device, roles,
     provider_session, id_token, attest, proved_at)
VALUES ($1, $2, $3, $4::jsonb, $5, $6, $7, $2, $8, $9::jsonb, $10, $11, $12::jsonb, $13)

-- name: session, planned once
-- Who a session belongs to, while it lasts.
SELECT id, actor, expires_at, method, seen_at, locked_at, device, roles, provider_session, id_token,
       attest, proved_at
FROM session WHERE token_hash = $1 AND expires_at > $2

-- name: session_seen, planned once
-- A session was used.
UPDATE session SET seen_at = greatest(seen_at, $2) WHERE token_hash = $1 AND locked_at IS NULL

-- name: lock_session
-- A session shows nothing more, and is no longer anybody's way in.
UPDATE session SET locked_at = $2 WHERE token_hash = $1 AND locked_at IS NULL

-- name: sessions_of_person
-- Where somebody is signed in.
SELECT id, created_at, seen_at, locked_at, method, actor FROM session
WHERE person = $1 AND expires_at > $2 ORDER BY seen_at DESC

-- name: end_session
-- Sign out.
DELETE FROM session WHERE token_hash = $1

-- name: end_sessions_of_person
-- Sign out everywhere, or on one device alone.
DELETE FROM session WHERE person = $1 AND ($2::text IS NULL OR device = $2) RETURNING token_hash

-- name: end_sessions_of_provider
-- Sign out what rests on a session that its provider has ended.
DELETE FROM session WHERE provider_session = $1 AND provider_session <> ''
RETURNING token_hash, person

-- name: tell_session_changed
-- Let every process forget what it knows of a session.
SELECT pg_notify('session_changed', $1)

-- name: end_old_sessions
-- Sessions nobody can use any more.
DELETE FROM session WHERE expires_at <= $1

-- name: issue_token
-- A token for the API; only its hash is kept.
INSERT INTO api_token (token_hash, created_at, expires_at, actor) VALUES ($1, $2, $3, $4::jsonb)

-- name: token, planned once
-- Who a token speaks for, while it lasts; an app's in a session, while that is not locked, nor
-- unused since $3: nobody may have asked for it, and locked it, after its browser was closed.
SELECT t.actor, t.expires_at, g.session
FROM api_token t
LEFT JOIN app_grant g ON g.id = t.app_grant
LEFT JOIN session s ON s.token_hash = g.session
WHERE t.token_hash = $1 AND t.expires_at > $2 AND s.locked_at IS NULL
  AND (s.token_hash IS NULL OR (s.expires_at > $2 AND s.seen_at > $3))

-- name: save_draft
-- Keep an unsigned text. A writer who names another revision than the newest changes nothing.
INSERT INTO draft (patient, author, kind, key, revision, updated_at, content)
VALUES ($1, $2, $3, $4, 1, $5, $6::jsonb)
ON CONFLICT (patient, author, kind, key) DO UPDATE SET
    revision = draft.revision + 1, updated_at = excluded.updated_at, content = excluded.content
WHERE draft.revision = coalesce($7, draft.revision)
RETURNING revision

-- name: drafts, planned once
-- An author's unsigned texts about an inhabitant.
SELECT kind, key, revision, updated_at, content
FROM draft WHERE patient = $1 AND author = $2 ORDER BY updated_at DESC

-- name: draft, planned once
-- One of an author's unsigned texts about an inhabitant.
SELECT kind, key, revision, updated_at, content
FROM draft WHERE patient = $1 AND author = $2 AND kind = $3 AND key = $4

-- name: discard_draft
-- Drop an unsigned text, after signing or on request.
DELETE FROM draft WHERE patient = $1 AND author = $2 AND kind = $3 AND key = $4

-- name: last_look, planned once
-- When an actor last looked at an inhabitant's chart.
SELECT at FROM last_look WHERE patient = $1 AND actor = $2

-- name: look, planned once
-- The actor has now seen the chart as it was at that time.
INSERT INTO last_look (patient, actor, at) VALUES ($1, $2, $3)
ON CONFLICT (patient, actor) DO UPDATE SET at = greatest(last_look.at, excluded.at)

-- name: newest_change_of, planned once
-- The newest change of each of some inhabitants' records.
SELECT wanted.patient, newest.at
FROM unnest($1::bigint[]) AS wanted (patient)
CROSS JOIN LATERAL (
    SELECT c.at FROM change c WHERE c.patient = wanted.patient
    ORDER BY c.xid DESC, c.seq DESC LIMIT 1
) AS newest

-- name: looks, planned once
-- When an actor last looked at each of some inhabitants' charts.
SELECT patient, at FROM last_look WHERE actor = $1 AND patient = ANY ($2::bigint[])
