-- name: reader
-- How far the change feed has been read. Held until the transaction ends: one makes events at a time.
SELECT xid, seq, generation FROM subscription_reader FOR UPDATE

-- name: start_reader
-- Begin at a place, when nobody has subscribed to anything that came before it.
UPDATE subscription_reader SET xid = $1, seq = $2, generation = generation + 1

-- name: advance_reader
-- The changes up to this place have become events.
UPDATE subscription_reader SET xid = $1, seq = $2

-- name: touch
-- Tell that subscriptions are others than they were.
UPDATE subscription_reader SET generation = generation + 1

-- name: settle_restored_reader
-- After a restore the changes are numbered anew (see settle_restored_changes). Whatever had not
-- become an event comes again; what lies between may come twice.
UPDATE subscription_reader r
SET generation = r.generation + 1, xid = 3,
    seq = coalesce((SELECT min(c.seq) - 1 FROM change c
                    WHERE (c.xid, c.seq) > (r.xid::text::xid8, r.seq)),
                   (SELECT max(c.seq) FROM change c), 0)
WHERE r.xid >= pg_snapshot_xmax(pg_current_snapshot())::text::bigint
   OR EXISTS (SELECT FROM change WHERE xid >= pg_snapshot_xmax(pg_current_snapshot()))

-- name: settle_restored_subscriptions
-- The places where subscriptions began are of another server too.
UPDATE subscription SET from_xid = 0
WHERE from_xid >= pg_snapshot_xmax(pg_current_snapshot())::text::bigint
   OR EXISTS (SELECT FROM change WHERE xid >= pg_snapshot_xmax(pg_current_snapshot()))

-- name: changes
-- Committed changes after a place, in order; what is in them only where it is of a wanted type.
SELECT xid::text::bigint AS xid, seq, patient, at,
       CASE WHEN types && $3::text[] THEN verbs END AS verbs,
       CASE WHEN types && $3::text[] THEN types END AS types,
       CASE WHEN types && $3::text[] THEN ids END AS ids,
       CASE WHEN types && $3::text[] THEN versions END AS versions
FROM change
WHERE (xid, seq) > ($1::bigint::text::xid8, $2::bigint)
  AND xid < pg_snapshot_xmin(pg_current_snapshot())
ORDER BY xid, seq
LIMIT $4

-- name: versions
-- Certain versions of certain resources, current or superseded.
SELECT r.patient, r.type, r.id, r.version, r.last_updated, false AS deleted, r.body
FROM unnest($1::bigint[], $2::resource_type[], $3::text[], $4::integer[])
    AS w (patient, type, id, version)
JOIN resource r USING (patient, type, id, version)
UNION ALL
SELECT h.patient, h.type, h.id, h.version, h.last_updated, h.deleted, h.body
FROM unnest($1::bigint[], $2::resource_type[], $3::text[], $4::integer[])
    AS w (patient, type, id, version)
JOIN resource_history h USING (patient, type, id, version)

-- name: add_events
-- Events with their numbers.
INSERT INTO subscription_event (subscription, number, patient, type, id, version, verb, at)
SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::integer[],
                     $7::text[], $8::timestamptz[])

-- name: last_events
-- The numbers of some subscriptions' newest events.
SELECT id, last_event FROM subscription WHERE id = ANY ($1::text[])

-- name: count_events
-- How many events each subscription has had.
UPDATE subscription s SET last_event = n.last_event
FROM unnest($1::text[], $2::bigint[]) AS n (id, last_event)
WHERE s.id = n.id

-- name: add
-- A new subscription, which hears of what is committed from now on.
INSERT INTO subscription (id, from_xid, created_at, status, topic, owner_id, owner, asked)
VALUES ($1, $2, $3, $4, $5, $6, $7::jsonb, $8::jsonb)

-- name: change
-- What a subscription asks for, anew. One that was off hears of what is committed from now on.
UPDATE subscription SET
    topic = $2, asked = $3::jsonb, status = $4, shown_status = $4, error = '', attempts = 0,
    failing_since = NULL, next_attempt_at = NULL,
    from_xid = CASE WHEN status = 'off' THEN $5 ELSE from_xid END
WHERE id = $1

-- name: remove
-- A subscription is no more; its events go with it.
DELETE FROM subscription WHERE id = $1

-- name: one
-- One subscription.
SELECT * FROM subscription WHERE id = $1

-- name: following
-- Those that changes may be events for.
SELECT * FROM subscription WHERE status IN ('requested', 'active', 'error') ORDER BY id

-- name: all_of_owner
-- Every subscription, or (with $1) one owner's.
SELECT * FROM subscription WHERE $1::text IS NULL OR owner_id = $1 ORDER BY created_at, id

-- name: any_following
-- Whether anybody listens.
SELECT EXISTS (SELECT FROM subscription WHERE status IN ('requested', 'active', 'error'))

-- name: forget_headers
-- Drop what a receiver was to be told.
DELETE FROM subscription_header WHERE subscription = $1

-- name: keep_headers
-- What a receiver is to be told.
INSERT INTO subscription_header (subscription, place, name, value)
SELECT $1, * FROM unnest($2::integer[], $3::text[], $4::text[])

-- name: headers
-- What a receiver is to be told.
SELECT name, value FROM subscription_header WHERE subscription = $1 ORDER BY place

-- name: events
-- A subscription's events after one number and up to another.
SELECT number, patient, type, id, version, verb, at
FROM subscription_event
WHERE subscription = $1 AND number > $2 AND number <= $3
ORDER BY number
LIMIT $4

-- name: delivered
-- A receiver has taken all events up to a number (the number it had before, for a handshake); its
-- dead letters that were among them are settled.
WITH moved AS (
    UPDATE subscription SET
        delivered = greatest(delivered, $2), status = 'active', error = '', attempts = 0,
        failing_since = NULL, next_attempt_at = NULL, last_sent_at = $3
    WHERE id = $1 AND status IN ('requested', 'active', 'error')
    RETURNING id, delivered
)
UPDATE subscription_dead_letter d SET settled_at = $3, settled_by = 'delivered'
FROM moved m
WHERE m.id = d.subscription AND d.settled_at IS NULL AND m.delivered >= d.last_event

-- name: failed
-- A receiver did not take what it was sent.
UPDATE subscription SET
    attempts = attempts + 1, failing_since = coalesce(failing_since, $2), next_attempt_at = $3,
    error = $4, status = CASE WHEN attempts + 1 >= $5 THEN 'error' ELSE status END
WHERE id = $1 AND status IN ('requested', 'active', 'error')

-- name: try_now
-- Do not wait for the next attempt.
UPDATE subscription SET next_attempt_at = NULL WHERE id = $1 AND status <> 'off'

-- name: shown
-- The resource says this status now.
UPDATE subscription SET shown_status = $2 WHERE id = $1

-- name: end
-- Give up: what has not been delivered is somebody's to see to.
WITH ended AS (
    UPDATE subscription SET status = 'off', error = $3, next_attempt_at = NULL
    WHERE id = $1 AND status <> 'off'
    RETURNING id, delivered, last_event, owner_id, owner
)
INSERT INTO subscription_dead_letter
    (subscription, first_event, last_event, at, owner_id, owner_name, reason)
SELECT id, delivered + 1, last_event, $2, owner_id, owner ->> 'name', $3
FROM ended
WHERE last_event > delivered
ON CONFLICT (subscription, first_event) DO UPDATE SET
    last_event = excluded.last_event, at = excluded.at, reason = excluded.reason,
    settled_at = NULL, settled_by = ''

-- name: dead_letters
-- What was given up and nobody has seen to, oldest first; with $1 one owner's.
SELECT * FROM subscription_dead_letter
WHERE settled_at IS NULL AND ($1::text IS NULL OR owner_id = $1)
ORDER BY at, subscription

-- name: settle
-- Somebody has seen to it: it was sent after all, or is not wanted.
UPDATE subscription_dead_letter SET settled_at = $2, settled_by = $3
WHERE subscription = $1 AND settled_at IS NULL

-- name: set_aside
-- Do not send what has not been delivered; it can still be asked for.
UPDATE subscription SET delivered = last_event, next_attempt_at = NULL, attempts = 0
WHERE id = $1

-- name: trim
-- Events that were delivered long ago.
DELETE FROM subscription_event e USING subscription s
WHERE s.id = e.subscription AND e.number <= s.delivered AND e.at < $1

-- name: lead
-- Become the one that sends notifications, for as long as the connection lasts.
SELECT pg_try_advisory_lock(7235419062417)

-- name: resign
-- Let another process send notifications.
SELECT pg_advisory_unlock(7235419062417)

-- name: still_there
-- Whether the connection that leads is still one.
SELECT 1
