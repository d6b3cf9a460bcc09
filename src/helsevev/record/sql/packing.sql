-- name: indexes
-- The record's indexes and how many bytes each has.
SELECT c.relname AS name, pg_relation_size(c.oid) AS bytes
FROM pg_index i
JOIN pg_class c ON c.oid = i.indexrelid
WHERE c.relnamespace = current_schema()::regnamespace AND i.indisvalid
ORDER BY c.relname

-- name: leftovers
-- What a rebuilding that was interrupted left behind.
SELECT c.relname AS name
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
WHERE c.relnamespace = current_schema()::regnamespace AND NOT i.indisvalid
  AND c.relname ~ '_cc(new|old)[0-9]*$'

-- name: drop
-- Remove such a leftover.
DROP INDEX CONCURRENTLY IF EXISTS {name}

-- name: rebuild
-- Write an index anew while everybody goes on reading and writing.
REINDEX INDEX CONCURRENTLY {name}

-- name: wait_at_most
-- How long one step of a rebuilding may wait for transactions that began before it.
SET lock_timeout = '5min'

-- name: wait
-- Wait as usual again.
RESET lock_timeout

-- name: analyze
-- Statistics of every table that nobody holds: without them a read by key may walk an inhabitant.
ANALYZE (SKIP_LOCKED)
