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
