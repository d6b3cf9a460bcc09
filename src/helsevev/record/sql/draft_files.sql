-- name: keep_draft_file
-- Keep a file of an unsigned text; the same file again changes nothing.
INSERT INTO draft_file (patient, author, draft, id, at, title, media_type, content)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (patient, author, draft, id) DO NOTHING

-- name: draft_files
-- What files an unsigned text has, the oldest first; how large, not what they hold.
SELECT id, title, media_type, octet_length(content) AS size
FROM draft_file WHERE patient = $1 AND author = $2 AND draft = $3 ORDER BY at, id

-- name: draft_file
-- One file of an unsigned text.
SELECT title, media_type, content
FROM draft_file WHERE patient = $1 AND author = $2 AND draft = $3 AND id = $4

-- name: drop_draft_file
-- Take a file away from an unsigned text.
DELETE FROM draft_file WHERE patient = $1 AND author = $2 AND draft = $3 AND id = $4

-- name: drop_draft_files
-- Take all files away: the text was signed, or is not wanted.
DELETE FROM draft_file WHERE patient = $1 AND author = $2 AND draft = $3
