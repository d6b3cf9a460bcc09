-- name: now
-- The moment of a snapshot, by the database's clock.
SELECT transaction_timestamp()

-- name: expected
-- About how many resources there are: what the planner believes costs nothing to ask.
SELECT reltuples::bigint FROM pg_class WHERE oid = 'resource'::regclass

-- name: page
-- The next resources after a place ($1, $2, $3), so many ($4) and so many bytes ($5) at most, one
-- at least: with inhabitants from $6 on, or those of $7; of types $8; written from $9 until $10.
SELECT patient, type, id, version, last_updated, false AS deleted, body
FROM (
    SELECT found.*,
        sum(octet_length(body)) OVER (ORDER BY patient, type, id) - octet_length(body) AS before
    FROM (
        SELECT patient, type, id, version, last_updated, body
        FROM resource
        WHERE (patient, type, id) > ($1::bigint, $2::resource_type, $3::text)
          AND patient >= $6::bigint
          AND ($7::bigint[] IS NULL OR patient = ANY ($7::bigint[]))
          AND (cardinality($8::resource_type[]) = 0 OR type = ANY ($8::resource_type[]))
          AND last_updated >= $9::timestamptz AND last_updated < $10::timestamptz
        ORDER BY patient, type, id
        LIMIT $4::integer
    ) AS found
) AS counted
WHERE before < $5::bigint
ORDER BY patient, type, id

-- name: deletions
-- What was deleted from $1 until $2 and is not there again, after a place ($3, $4, $5), so many
-- ($6) at most; whose inhabitants and which types as for a page.
SELECT h.patient, h.type, h.id
FROM resource_history h
WHERE h.deleted AND h.last_updated >= $1::timestamptz AND h.last_updated < $2::timestamptz
  AND (h.patient, h.type, h.id) > ($3::bigint, $4::resource_type, $5::text)
  AND h.patient >= $7::bigint
  AND ($8::bigint[] IS NULL OR h.patient = ANY ($8::bigint[]))
  AND (cardinality($9::resource_type[]) = 0 OR h.type = ANY ($9::resource_type[]))
  AND NOT EXISTS (
      SELECT FROM resource r WHERE r.patient = h.patient AND r.type = h.type AND r.id = h.id
  )
GROUP BY h.patient, h.type, h.id
ORDER BY h.patient, h.type, h.id
LIMIT $6::integer

-- name: lock
-- Whether this transaction is the one that carries out a job; nobody else does while it lasts.
SELECT pg_try_advisory_xact_lock(hashtextextended($1, 5))

-- name: add_job
-- Remember what was asked for.
INSERT INTO export_job (id, requested_at, expires_at, state, request, owner, actor, asked)
VALUES ($1, $2, $3, 'accepted', $4, $5, $6, $7)

-- name: job
-- One job.
SELECT id, requested_at, transaction_time, finished_at, expires_at, expected, written, starts,
    state, problem, request, owner, actor::text AS actor, asked::text AS asked, files::text AS files
FROM export_job
WHERE id = $1

-- name: waiting_jobs
-- Jobs that are not finished, the oldest first: new ones, and those that a restart cut short.
SELECT id FROM export_job WHERE state IN ('accepted', 'running') ORDER BY requested_at, id

-- name: waiting_of_owner
-- How many unfinished jobs somebody has.
SELECT count(*) FROM export_job WHERE owner = $1 AND state IN ('accepted', 'running')

-- name: expired_jobs
-- Jobs whose files are to be removed.
SELECT id FROM export_job WHERE expires_at <= $1

-- name: start_job
-- A job begins, or begins anew, with a snapshot of its own.
UPDATE export_job
SET state = 'running', transaction_time = $2, expected = $3, written = 0, starts = starts + 1
WHERE id = $1 AND state IN ('accepted', 'running')
RETURNING starts

-- name: advance_job
-- How far a job has come; nothing when it was cancelled meanwhile.
UPDATE export_job SET written = $2 WHERE id = $1 AND state = 'running' RETURNING id

-- name: finish_job
-- A job is done or has failed.
UPDATE export_job
SET state = $2, problem = $3, files = $4, written = $5, finished_at = $6, expires_at = $7
WHERE id = $1 AND state = 'running'
RETURNING id

-- name: remove_job
-- Forget a job.
DELETE FROM export_job WHERE id = $1
