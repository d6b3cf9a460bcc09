-- name: every
-- The times of day of every unit that has its own, the oldest first.
SELECT unit, since, body, written_at, actor, actor_name FROM unit_times ORDER BY unit, since

-- name: add
-- From then on the unit has these times of day; nothing where some have been set for that moment.
INSERT INTO unit_times (unit, since, body, written_at, actor, actor_name)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (unit, since) DO NOTHING
RETURNING unit
