-- name: turn
-- One loads a system at a time.
SELECT pg_advisory_xact_lock(hashtextextended('terminology ' || $1, 0))

-- name: known
-- The release that is already here.
SELECT id, fingerprint, is_current FROM terminology_release
WHERE system = $1 AND version = $2 AND origin = $3

-- name: add_release
-- A release, seen by others when all its rows are.
INSERT INTO terminology_release
    (system, version, name, language, content, source, origin, fingerprint, case_sensitive,
     properties, concepts, is_current)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10::jsonb, $11, $12)
RETURNING id

-- name: add_aliases
-- The URLs of a release's system.
INSERT INTO terminology_alias (url, release)
SELECT DISTINCT url, $1::integer FROM unnest($2::text[]) AS url

-- name: step_back
-- The other loaded releases of the system are no longer the current one.
UPDATE terminology_release SET is_current = false
WHERE system = $1 AND id <> $2 AND origin = '' AND is_current

-- name: step_forward
-- A release that is here becomes the current one.
UPDATE terminology_release SET is_current = true WHERE id = $1 AND NOT is_current

-- name: releases_of_origin
-- What was made of earlier versions of a CodeSystem resource.
SELECT id FROM terminology_release WHERE origin LIKE $1

-- name: drop_concepts
-- A release's concepts.
DELETE FROM terminology_concept WHERE release = ANY ($1::integer[])

-- name: drop_designations
-- Their names.
DELETE FROM terminology_designation WHERE release = ANY ($1::integer[])

-- name: drop_members
-- Their named sets.
DELETE FROM terminology_member WHERE release = ANY ($1::integer[])

-- name: drop_common
-- Which beginnings of words are common in it.
DELETE FROM terminology_common WHERE release = ANY ($1::integer[])

-- name: drop_releases
-- The releases themselves.
DELETE FROM terminology_release WHERE id = ANY ($1::integer[])

-- name: add_value_set
-- A value set, in the place of one with the same URL and version.
INSERT INTO terminology_value_set (url, version, resource) VALUES ($1, $2, $3::jsonb)
ON CONFLICT (url, version) DO UPDATE SET resource = excluded.resource, loaded_at = now()

-- name: drop_map
-- A map and its lines, and those of earlier versions of the same resource.
DELETE FROM terminology_map
WHERE (url = $1 AND version = $2 AND origin = $3) OR ($4 <> '' AND origin LIKE $4)

-- name: add_map
-- A concept map.
INSERT INTO terminology_map (url, version, name, source_value_set, target_value_set, origin)
VALUES ($1, $2, $3, $4, $5, $6)
RETURNING id

-- name: count_names
-- Fresh counts for the planner, and indexes that need not look at the rows.
VACUUM (ANALYZE) terminology_concept, terminology_designation, terminology_member, terminology_mapping,
    terminology_common
