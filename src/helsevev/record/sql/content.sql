-- name: state
-- The number of the newest release, 0 before there is one: whether what is known is what stands.
SELECT coalesce(max(number), 0) FROM content_release

-- name: items
-- Every version of every item, in the order in which they were released.
SELECT folder, item, version, pack, path, body, place FROM content_item ORDER BY seq

-- name: releases
-- Every release, the newest last.
SELECT number, place, pack, version, effective_from, page, items, words, back_to, released_at,
       released_by, released_by_name, reviewed_by, reviewed_by_name
FROM content_release ORDER BY number

-- name: lock
-- One release at a time: each is made of the one before.
LOCK TABLE content_release IN SHARE ROW EXCLUSIVE MODE

-- name: keep_items
-- Versions of items, kept for good; those that are there already stay as they are.
INSERT INTO content_item (folder, item, version, place, pack, path, body)
SELECT f, i, v, $4, $5, p, b FROM unnest($1::text[], $2::text[], $3::text[], $6::text[], $7::text[])
    AS x (f, i, v, p, b)
ON CONFLICT (folder, item, version) DO NOTHING

-- name: rewrite_draft
-- The text of a version that nobody has approved, as it now comes with the program.
UPDATE content_item SET body = $4, path = $5, pack = $6
WHERE folder = $1 AND item = $2 AND version = $3 AND place = ''

-- name: release
-- One release; it is numbered after the newest.
INSERT INTO content_release (number, place, pack, version, effective_from, page, items, words,
                             back_to, released_at, released_by, released_by_name, reviewed_by,
                             reviewed_by_name)
SELECT coalesce(max(number), 0) + 1, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13
FROM content_release
RETURNING number

-- name: start_change
-- A change that somebody begins; its id.
INSERT INTO content_change (place, pack, title, files, based_on, state, turn, authors, started_at,
                            saved_at)
VALUES ($1, $2, $3, $4, $5, 'editing', 1, ARRAY[$6::text], $7, $7)
RETURNING id

-- name: changes
-- Changes that are under way, or one of them ($1), the newest first.
SELECT id, place, pack, title, files, based_on, state, turn, authors, started_at, saved_at, ended_at
FROM content_change
WHERE CASE WHEN $1::bigint IS NULL THEN ended_at IS NULL ELSE id = $1 END
ORDER BY saved_at DESC

-- name: save_change
-- What somebody wrote in a change of which they had seen the newest; its authors are remembered.
UPDATE content_change
SET title = $3, files = $4, state = 'editing', turn = turn + 1, saved_at = $5,
    authors = CASE WHEN $6::text = ANY (authors) THEN authors ELSE authors || $6::text END
WHERE id = $1 AND turn = $2 AND ended_at IS NULL
RETURNING turn

-- name: move_change
-- A change goes from one state ($3) to another ($4), by somebody who had seen the newest of it. Who
-- wrote in it does not approve it.
UPDATE content_change
SET state = $4::text, turn = turn + 1, saved_at = $5::timestamptz,
    ended_at = CASE WHEN $4 IN ('released', 'dropped') THEN $5::timestamptz END
WHERE id = $1 AND turn = $2 AND state = ANY ($3::text[]) AND ended_at IS NULL
  AND NOT ($4 = 'approved' AND $6::text = ANY (authors))
RETURNING turn

-- name: add_line
-- A line of what was done with a change.
INSERT INTO content_change_line (change, at, act, words, actor, actor_name)
VALUES ($1, $2, $3, $4, $5, $6)

-- name: lines
-- What was done with a change and said of it, the oldest first.
SELECT at, act, words, actor, actor_name FROM content_change_line WHERE change = $1 ORDER BY at
