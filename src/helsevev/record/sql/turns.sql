-- name: seen
-- How often each condition has been written on.
SELECT condition, number FROM turn WHERE condition = ANY ($1::bigint[])

-- name: take
-- Count conditions up from what was seen ($2); those that others counted meanwhile are left out.
INSERT INTO turn (condition, number, at)
SELECT condition, number + 1, $3 FROM unnest($1::bigint[], $2::integer[]) AS t (condition, number)
ON CONFLICT (condition) DO UPDATE SET number = excluded.number, at = excluded.at
WHERE turn.number = excluded.number - 1
RETURNING condition

-- name: forget
-- Conditions that no request under way can have seen.
DELETE FROM turn WHERE at < $1
