-- name: by_key
-- Resources of one type that one of some keys names, of no inhabitant. $1 patient keys.
SELECT patient, type, id, version, last_updated, false AS deleted, body
FROM resource
WHERE patient = ANY ($1::bigint[]) AND type = $2::resource_type AND keys && $3::bigint[]
ORDER BY id

-- name: of_type
-- Resources of one type that are about no inhabitant, by id; at most $3 after id $4.
SELECT patient, type, id, version, last_updated, false AS deleted, body
FROM resource
WHERE patient = ANY ($1::bigint[]) AND type = $2::resource_type AND id > $4
ORDER BY id
LIMIT $3

-- name: roles_of
-- The roles that people have now or later, newest first. $1 people.
SELECT source_id AS id, person, unit, title, start_at, end_at
FROM staff_standing
WHERE person = ANY ($1::text[]) AND source_type = 'PractitionerRole'
ORDER BY person, start_at DESC, source_id

-- name: people_at
-- The roles at some units that hold at time $2, at most $3.
SELECT source_id AS id, person, unit, title, start_at, end_at
FROM staff_standing
WHERE unit = ANY ($1::text[]) AND source_type = 'PractitionerRole'
  AND start_at <= $2 AND end_at > $2
ORDER BY unit, title, source_id
LIMIT $3

-- name: roles_by_person
-- Roles of some people that hold at time $2.
SELECT source_id AS id, person, unit, title, start_at, end_at
FROM staff_standing
WHERE person = ANY ($1::text[]) AND source_type = 'PractitionerRole'
  AND start_at <= $2 AND end_at > $2
ORDER BY person, unit, source_id

-- name: people_in_units
-- How many people have a role at each unit at time $1.
SELECT unit, count(DISTINCT person) AS people
FROM staff_standing
WHERE source_type = 'PractitionerRole' AND start_at <= $1 AND end_at > $1
GROUP BY unit

-- name: titles
-- What roles are called, the most usual first.
SELECT title, count(*) AS roles
FROM staff_standing
WHERE source_type = 'PractitionerRole' AND title <> ''
GROUP BY title ORDER BY count(*) DESC, title LIMIT $1

-- name: is_filled
-- Whether anything of a type is known.
SELECT EXISTS (SELECT FROM staff_standing WHERE source_type = $1)

-- name: fill_turn
-- One process at a time makes the read model anew, until its transaction ends.
SELECT pg_advisory_xact_lock(hashtext('staff_standing'))

-- name: signed_in
-- Who is signed in now, last used first; at most $2.
SELECT id, person, created_at, seen_at, expires_at, locked_at, method, actor
FROM session WHERE expires_at > $1 ORDER BY seen_at DESC LIMIT $2

-- name: end_session_by_id
-- Sign one browser out.
DELETE FROM session WHERE id = $1 RETURNING token_hash, person

-- name: tokens_of
-- Tokens for the API that speak for somebody, and the apps that hold them.
SELECT t.created_at, t.expires_at, t.actor ->> 'role' AS role, t.actor ->> 'unit_name' AS unit,
       c.registration ->> 'name' AS app, g.actor -> 'scopes' AS scopes
FROM api_token t
LEFT JOIN app_grant g ON g.id = t.app_grant
LEFT JOIN app_client c ON c.id = g.client
WHERE t.actor ->> 'id' = $1 AND t.expires_at > $2
ORDER BY t.expires_at DESC

-- name: grants_of
-- Apps that somebody has let in.
SELECT c.id, c.registration ->> 'name' AS app, g.created_at, g.expires_at, g.last_used_at,
       g.actor ->> 'role' AS role, g.actor -> 'scopes' AS scopes
FROM app_grant g JOIN app_client c ON c.id = g.client
WHERE g.actor_id = $1 AND g.expires_at > $2
ORDER BY g.created_at DESC

-- name: reach_of
-- How many inhabitants an actor's references reach now, by how near and where it is written.
-- $1 grantees, $2 now in microseconds, $3 references of the person, $4 of the unit.
SELECT CASE WHEN grantee = ANY ($3::text[]) THEN 'personal'
            WHEN grantee = ANY ($4::text[]) THEN 'unit' ELSE 'organisation' END AS nearness,
       source_type, count(DISTINCT patient) AS people
FROM treatment_relation
WHERE grantee = ANY ($1::text[]) AND start_at <= $2 AND end_at > $2
  AND (maker <> ALL ($3::text[]) OR others_until > $2)
GROUP BY nearness, source_type ORDER BY nearness, source_type

-- name: self_made
-- Records that somebody has opened by their own word, which are still open.
SELECT 'stated' AS way, patient, expires_at, ground FROM stated_relation
WHERE actor = $1 AND expires_at > $2
UNION ALL
SELECT 'emergency', patient, expires_at, ground FROM emergency_access
WHERE actor = $1 AND expires_at > $2

-- name: tied_to
-- Whom an inhabitant's record is open to by relation now, and where each is written.
SELECT DISTINCT grantee, source_type, source_id, end_at
FROM treatment_relation
WHERE patient = $1 AND start_at <= $2 AND end_at > $2
  AND (maker <> grantee OR others_until > $2)
ORDER BY grantee, source_type, source_id

-- name: opened_by_word
-- Who has opened an inhabitant's record by their own word, for a while.
SELECT 'stated' AS way, actor, expires_at, ground FROM stated_relation
WHERE patient = $1 AND expires_at > $2
UNION ALL
SELECT 'emergency', actor, expires_at, ground FROM emergency_access
WHERE patient = $1 AND expires_at > $2

-- name: represented
-- Who may act for an inhabitant now.
SELECT kind, scope, source_id, end_at FROM representation
WHERE patient = $1 AND start_at <= $2 AND end_at > $2

-- name: find_staff
-- People who work here, with a name part that begins with each of $1, at one of the units $2 (null:
-- anywhere); at most $3.
SELECT DISTINCT s.source_id AS id, s.name
FROM staff_standing s
WHERE s.source_type = 'Practitioner'
  AND NOT EXISTS (
      SELECT FROM unnest($1::text[]) AS word
      WHERE s.name NOT LIKE word || '%' AND s.name NOT LIKE '% ' || word || '%')
  AND ($2::text[] IS NULL OR EXISTS (
      SELECT FROM staff_standing r
      WHERE r.person = s.person AND r.source_type = 'PractitionerRole' AND r.unit = ANY ($2)))
ORDER BY s.name, s.source_id
LIMIT $3

-- name: staff_at
-- The version of each resource of one type, about no inhabitant, that the record had at time $3.
SELECT DISTINCT ON (id) patient, type, id, version, last_updated, deleted, body
FROM (
    SELECT patient, type, id, version, last_updated, false AS deleted, body
    FROM resource
    WHERE patient = ANY ($1::bigint[]) AND type = $2::resource_type AND last_updated <= $3
    UNION ALL
    SELECT patient, type, id, version, last_updated, deleted, body
    FROM resource_history
    WHERE patient = ANY ($1::bigint[]) AND type = $2::resource_type AND last_updated <= $3
) AS version
ORDER BY id, version DESC

-- name: reach_of_each
-- How many inhabitants some references reach at time $2. $1 references, $3 whose each of them is.
SELECT of.holder, count(DISTINCT r.patient) AS people
FROM unnest($1::text[], $3::text[]) AS of (grantee, holder)
JOIN treatment_relation r ON r.grantee = of.grantee
WHERE r.start_at <= $2 AND r.end_at > $2
GROUP BY of.holder

-- name: units_below
-- An organisation and all that are part of it, by reference. $1 the reference.
WITH RECURSIVE below (unit) AS (
    SELECT $1::text
    UNION
    SELECT 'Organization/' || s.source_id
    FROM staff_standing s JOIN below b ON s.unit = b.unit
    WHERE s.source_type = 'Organization'
)
SELECT unit FROM below

-- name: roles_after
-- Active roles at some units $1 that go on after time $2 or begin after it, with whose they are.
SELECT source_id AS id, person, unit, title, start_at, end_at
FROM staff_standing
WHERE unit = ANY ($1::text[]) AND source_type = 'PractitionerRole' AND end_at > $2
ORDER BY title, person, source_id

-- name: treated_after
-- How many inhabitants some units $1 treat after time $2, by where it is written.
SELECT source_type, count(DISTINCT patient) AS people
FROM treatment_relation
WHERE grantee = ANY ($1::text[]) AND end_at > $2
GROUP BY source_type ORDER BY source_type
