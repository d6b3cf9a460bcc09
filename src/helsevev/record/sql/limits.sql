-- name: knock
-- One more time, unless that is further ahead of now ($2) than the limit lets be; one statement, so
-- that knocks at the same moment, by whichever process, cannot go beyond it together.
INSERT INTO knock (key, free_at) VALUES ($1, $2::timestamptz + $3::interval)
ON CONFLICT (key) DO UPDATE SET free_at = greatest(knock.free_at, $2) + $3
WHERE greatest(knock.free_at, $2) + $3 <= $2 + $4::interval
RETURNING free_at

-- name: free_at
-- How far ahead a knocker is.
SELECT free_at FROM knock WHERE key = $1

-- name: forget_knocks
-- Those who have nothing used up any longer.
DELETE FROM knock WHERE free_at <= $1
