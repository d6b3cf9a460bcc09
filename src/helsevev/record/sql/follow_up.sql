-- name: due
-- Tasks whose next step is due at a time ($1, microseconds), the longest due first.
SELECT patient, source_id FROM follow_up_waiting
WHERE next_at IS NOT NULL AND next_at <= $1 ORDER BY next_at LIMIT $2

-- name: of_owners
-- What waits for some owners ($1), by deadline; of what plans ask for at set times only what is late
-- at a time ($3, microseconds): it has a list of its own.
SELECT source_id, owner, unit, matter, asked_at, due_at, next_at FROM follow_up_waiting
WHERE owner = ANY ($1::text[]) AND NOT (matter = 'planned-measure' AND due_at > $3) ORDER BY due_at NULLS LAST, asked_at LIMIT $2

-- name: of_unit
-- What stands on a unit's list ($1), by deadline; of what names no unit and has no owner, or one who
-- works there ($4), what is about those whom the unit treats at a time ($3, microseconds). Of what
-- plans ask for at set times only what is late then: it has a list of its own.
SELECT source_id, owner, unit, matter, asked_at, due_at, next_at FROM follow_up_waiting
WHERE NOT (matter = 'planned-measure' AND due_at > $3) AND (unit = $1 OR owner = $1
   OR (unit = '' AND (owner = '' OR owner = ANY ($4::text[])) AND EXISTS
       (SELECT FROM treatment_relation t WHERE t.patient = follow_up_waiting.patient
        AND t.grantee = $1 AND t.start_at <= $3 AND t.end_at > $3)))
ORDER BY due_at NULLS LAST, asked_at LIMIT $2

-- name: beat
-- Somebody has looked for what is overdue; gives when that was last before.
INSERT INTO follow_up_watch AS w (name, at) VALUES ($1, $2)
ON CONFLICT (name) DO UPDATE SET at = greatest(w.at, excluded.at)
RETURNING (SELECT b.at FROM follow_up_watch b WHERE b.name = $1)

-- name: last_beat
-- When somebody last looked for what is overdue.
SELECT at FROM follow_up_watch WHERE name = $1

-- name: gap
-- For this long nobody had looked.
INSERT INTO follow_up_gap (name, from_at, to_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING

-- name: gaps
-- The times since $2 in which nobody looked, the newest first.
SELECT from_at, to_at FROM follow_up_gap WHERE name = $1 AND to_at >= $2
ORDER BY from_at DESC LIMIT 20

-- name: opened
-- Somebody of a unit has opened its list.
INSERT INTO follow_up_opened (unit, at, actor, actor_name) VALUES ($1, $2, $3, $4)
ON CONFLICT (unit) DO UPDATE SET at = excluded.at, actor = excluded.actor,
    actor_name = excluded.actor_name

-- name: end_unopened
-- A list that had lain unopened has been opened.
UPDATE follow_up_unopened SET ended_at = $2, ended_by_name = $3
WHERE unit = $1 AND ended_at IS NULL

-- name: last_opened
-- When a unit's list was last opened, and by whom.
SELECT at, actor_name FROM follow_up_opened WHERE unit = $1

-- name: lying_unopened
-- Units with something on their list since before $1 (microseconds) that nobody has opened since $2,
-- and of which that has not been told: since when, the oldest first.
SELECT w.unit, min(w.asked_at) AS since FROM follow_up_waiting w
WHERE w.unit <> '' AND w.asked_at <= $1
  AND NOT EXISTS (SELECT FROM follow_up_opened o WHERE o.unit = w.unit AND o.at > $2)
  AND NOT EXISTS (SELECT FROM follow_up_unopened u WHERE u.unit = w.unit AND u.ended_at IS NULL)
GROUP BY w.unit ORDER BY since LIMIT $3

-- name: tell_unopened
-- The organisation above is told that a list lies unopened; once.
INSERT INTO follow_up_unopened (unit, unit_name, told, since, told_at, ended_by_name)
VALUES ($1, $2, $3, $4, $5, '') ON CONFLICT DO NOTHING

-- name: unopened_below
-- The lists that lie unopened and of which some organisations were told, the oldest first.
SELECT unit, unit_name, since, told_at FROM follow_up_unopened
WHERE told = ANY ($1::text[]) AND ended_at IS NULL ORDER BY since LIMIT 50

-- name: own
-- What somebody has put on their desk, of a kind, by key.
SELECT key, body FROM desk_own WHERE actor = $1 AND kind = $2 ORDER BY key

-- name: keep_own
-- Somebody puts something on their desk, or another way.
INSERT INTO desk_own (actor, kind, key, body, changed_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (actor, kind, key) DO UPDATE SET body = excluded.body, changed_at = excluded.changed_at

-- name: drop_own
-- Somebody takes something off their desk.
DELETE FROM desk_own WHERE actor = $1 AND kind = $2 AND key = $3
