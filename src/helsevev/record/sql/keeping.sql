-- name: copy
-- A new database with everything of another, which nobody may be using.
CREATE DATABASE {copy} TEMPLATE {original} STRATEGY file_copy

-- name: drop
-- Remove a database that is no longer wanted.
DROP DATABASE IF EXISTS {name}

-- name: rename
-- Call a database something else; in a transaction, several at once or none.
ALTER DATABASE {name} RENAME TO {other}

-- name: exists
-- Whether the server has a database of this name.
SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)

-- name: name
-- What the database that one is connected to is called, and whether this role may make others.
SELECT current_database() AS name, rolcreatedb OR rolsuper AS may_copy
FROM pg_roles WHERE rolname = current_user

-- name: forget_visitors
-- Nobody is signed in and no token is valid any more.
WITH sessions AS (DELETE FROM session)
DELETE FROM api_token

-- name: remember
-- What an actor wants to be known by a key, in place of what it was.
INSERT INTO idempotency_key (actor, key, transaction, at, fingerprint, result)
VALUES ($1, $2, $3, $4, $5, $6::jsonb)
ON CONFLICT (actor, key) DO UPDATE SET at = excluded.at, result = excluded.result

-- name: analyze
-- Statistics of every table, which a large load has left behind the times.
ANALYZE
