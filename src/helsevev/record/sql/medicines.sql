-- name: turn
-- One catalogue is loaded at a time.
SELECT pg_advisory_xact_lock(hashtextextended('medicine_release', 0))

-- name: current
-- The release that is looked up in, and when orders were last learned from.
SELECT r.id, r.source, r.version, r.fingerprint, r.is_written, r.loaded_at,
       (SELECT max(learned_at) FROM medicine_sentence) AS learned_at
FROM medicine_release r
WHERE r.is_current

-- name: add_release
-- A release that is not looked up in yet.
INSERT INTO medicine_release (is_current, source, version, fingerprint)
VALUES (false, $1, $2, $3)
RETURNING id

-- name: entries_of
-- How many entries of each kind a release has, and how many of them are withdrawn.
SELECT kind, count(*) AS entries, count(withdrawn) AS withdrawn
FROM medicine_entry
WHERE release = $1
GROUP BY kind
ORDER BY kind

-- name: disappeared
-- How many products in use of release $1 are not in release $2.
SELECT count(*) FILTER (WHERE n.id IS NULL) AS gone, count(*) AS products
FROM medicine_entry o
LEFT JOIN medicine_entry n ON n.release = $2 AND n.kind = o.kind AND n.id = o.id
WHERE o.release = $1 AND o.kind = 'product' AND o.withdrawn IS NULL

-- name: keep_entries
-- What release $1 has and release $2 has not is withdrawn in the latter, from $3 unless it was so.
INSERT INTO medicine_entry (release, withdrawn, kind, id, body)
SELECT $2, coalesce(o.withdrawn, $3::date), o.kind, o.id, o.body
FROM medicine_entry o
WHERE o.release = $1 AND o.kind IN ('product', 'package', 'dose', 'substance')
  AND NOT EXISTS (
      SELECT FROM medicine_entry n WHERE n.release = $2 AND n.kind = o.kind AND n.id = o.id
  )

-- name: keep_keys
-- Withdrawn packages and doses are found by what is printed on them, unless it is used anew.
INSERT INTO medicine_key (release, part, kind, key, entry)
SELECT $2, o.part, o.kind, o.key, o.entry
FROM medicine_key o
JOIN medicine_entry e ON e.release = $2 AND e.kind = o.kind AND e.id = o.entry
WHERE o.release = $1 AND o.kind IN ('package', 'dose') AND e.withdrawn IS NOT NULL
  AND NOT EXISTS (
      SELECT FROM medicine_key n WHERE n.release = $2 AND n.kind = o.kind AND n.key = o.key
  )

-- name: step_back
-- No release is the current one.
UPDATE medicine_release SET is_current = false WHERE is_current

-- name: step_forward
-- A release is the current one.
UPDATE medicine_release SET is_current = true WHERE id = $1

-- name: drop_keys
-- Forget what the entries of other releases were found by.
DELETE FROM medicine_key WHERE release <> $1

-- name: drop_entries
-- Forget the entries of other releases.
DELETE FROM medicine_entry WHERE release <> $1

-- name: drop_releases
-- Forget the other releases.
DELETE FROM medicine_release WHERE id <> $1

-- name: written
-- The products of a release are in the record.
UPDATE medicine_release SET is_written = true WHERE id = $1

-- name: page
-- The next entries of a kind ($2) of a release after an id ($3), so many ($4).
SELECT id, withdrawn, body FROM medicine_entry
WHERE release = $1 AND kind = $2 AND id > $3
ORDER BY id
LIMIT $4

-- name: entries
-- Entries of the current release by kind and ids.
SELECT e.id, e.withdrawn, e.body
FROM medicine_release r
JOIN medicine_entry e ON e.release = r.id AND e.kind = $1 AND e.id = ANY ($2::text[])
WHERE r.is_current

-- name: by_key
-- Entries of the current release by what they are found by.
SELECT e.id, e.withdrawn, e.body
FROM medicine_release r
JOIN medicine_key k ON k.release = r.id AND k.kind = $1 AND k.key = ANY ($2::text[])
JOIN medicine_entry e ON e.release = r.id AND e.kind = $1 AND e.id = k.entry
WHERE r.is_current
ORDER BY e.withdrawn IS NOT NULL, e.id

-- name: interactions
-- Interactions of which several groups of substances have one of these ATC codes ($1), which are
-- those asked for and all above them.
SELECT e.id, e.withdrawn, e.body
FROM medicine_release r
JOIN LATERAL (
    SELECT k.entry FROM medicine_key k
    WHERE k.release = r.id AND k.kind = 'interaction' AND k.key = ANY ($1::text[])
    GROUP BY k.entry
    HAVING count(DISTINCT k.part) > 1
) AS met ON true
JOIN medicine_entry e ON e.release = r.id AND e.kind = 'interaction' AND e.id = met.entry
WHERE r.is_current
ORDER BY e.id

-- name: uses
-- For how many people each product is ordered in the ways that are common here.
SELECT product, sum(people)::integer AS people FROM medicine_sentence GROUP BY product

-- name: sentences
-- How a product is ordered here, the most common way first.
SELECT dosage, people FROM medicine_sentence WHERE product = $1 ORDER BY place

-- name: forget_sentences
-- What was learned before.
DELETE FROM medicine_sentence

-- name: orders
-- The next orders after a place ($1, $2), so many ($3).
SELECT patient, type, id, version, last_updated, false AS deleted, body
FROM resource
WHERE type = 'MedicationRequest' AND (patient, id) > ($1::bigint, $2::text)
ORDER BY patient, type, id
LIMIT $3
