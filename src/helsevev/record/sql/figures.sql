-- name: progress
-- How far counting has come.
SELECT day, week, xid, seq FROM figure_progress

-- name: move_progress
-- It has come this far.
UPDATE figure_progress SET day = $1, week = $2, xid = $3, seq = $4

-- name: treated
-- The next inhabitants whom anybody treated in a time ($1 to $2, microseconds since 1970), after the
-- one with key $3, at most $4.
SELECT DISTINCT patient FROM treatment_relation
WHERE source_type IN ('Encounter', 'EpisodeOfCare') AND start_at < $2 AND end_at > $1 AND patient > $3
ORDER BY patient LIMIT $4

-- name: treated_total
-- How many that is.
SELECT count(DISTINCT patient) FROM treatment_relation
WHERE source_type IN ('Encounter', 'EpisodeOfCare') AND start_at < $2 AND end_at > $1

-- name: told
-- Of some inhabitants ($1): every version of the orders, of the stays and services that may have held
-- from $2 to $3 (microseconds since 1970), oldest first, and what of types $5 happened from $4 to $3.
SELECT patient, type, id, version, last_updated, deleted, body
FROM (
    SELECT patient, type, id, version, last_updated, false AS deleted, body
    FROM resource
    WHERE patient = ANY ($1::bigint[]) AND (
        type = 'MedicationRequest'
        OR (type IN ('Encounter', 'EpisodeOfCare') AND date_low < $3 AND date_high > $2)
        OR (type = ANY ($5::resource_type[]) AND date_low BETWEEN $4 AND $3)
    )
    UNION ALL
    SELECT patient, type, id, version, last_updated, deleted, body
    FROM resource_history
    WHERE patient = ANY ($1::bigint[])
      AND type IN ('MedicationRequest', 'Encounter', 'EpisodeOfCare')
) AS every
ORDER BY patient, type, id, version

-- name: versions
-- Every version of some resources.
SELECT v.patient, v.type, v.id, v.version, v.last_updated, v.deleted, v.body
FROM unnest($1::bigint[], $2::resource_type[], $3::text[]) AS w (patient, type, id)
CROSS JOIN LATERAL (
    SELECT patient, type, id, version, last_updated, false AS deleted, body FROM resource r
    WHERE r.patient = w.patient AND r.type = w.type AND r.id = w.id
    UNION ALL
    SELECT patient, type, id, version, last_updated, deleted, body FROM resource_history h
    WHERE h.patient = w.patient AND h.type = w.type AND h.id = w.id
) AS v

-- name: forget
-- What was counted of some inhabitants on the days from $2 to $3.
DELETE FROM figure_day WHERE patient = ANY ($1::bigint[]) AND day BETWEEN $2 AND $3

-- name: keep
-- What is counted of inhabitants; counts are arrays in words.
INSERT INTO figure_day (patient, day, figure, unit, counts)
SELECT patient, day, figure, unit, counts::integer[]
FROM unnest($1::bigint[], $2::date[], $3::text[], $4::text[], $5::text[])
    AS k (patient, day, figure, unit, counts)
ON CONFLICT (patient, day, figure, unit) DO UPDATE SET counts = excluded.counts

-- name: weeks_counted
-- Weeks of some units since a day as they are counted now.
SELECT unit, week, figure, array_agg(total ORDER BY place) AS counts
FROM (
    SELECT unit, date_trunc('week', day)::date AS week, figure, c.place, sum(c.n)::integer AS total
    FROM figure_day, unnest(counts) WITH ORDINALITY AS c (n, place)
    WHERE unit = ANY ($1::text[]) AND day >= $2
    GROUP BY 1, 2, 3, 4
) AS summed
GROUP BY 1, 2, 3

-- name: weeks_closed
-- Weeks of some units since a day as they stood when they were closed.
SELECT unit, week, figure, counts, definition, as_of FROM figure_week
WHERE unit = ANY ($1::text[]) AND week >= $2

-- name: close_weeks
-- Keep the weeks that begin after $1 and by $2 as they are counted now ($5), by the definitions of now
-- ($3 figures, $4 versions); what is closed already stays as it is.
INSERT INTO figure_week (unit, week, figure, counts, definition, as_of)
SELECT unit, week, figure, array_agg(total ORDER BY place), min(d.version), $5
FROM (
    SELECT unit, date_trunc('week', day)::date AS week, figure, c.place, sum(c.n)::integer AS total
    FROM figure_day, unnest(counts) WITH ORDINALITY AS c (n, place)
    WHERE day >= $1::date + 7 AND day < $2::date + 7
    GROUP BY 1, 2, 3, 4
) AS summed
JOIN unnest($3::text[], $4::text[]) AS d (id, version) ON d.id = figure
GROUP BY unit, week, figure
ON CONFLICT (unit, week, figure) DO NOTHING

-- name: patients_of_week
-- The inhabitants of a unit's week, with what was counted of each.
SELECT patient, figure, array_agg(total ORDER BY place) AS counts
FROM (
    SELECT patient, figure, c.place, sum(c.n)::integer AS total
    FROM figure_day, unnest(counts) WITH ORDINALITY AS c (n, place)
    WHERE unit = $1 AND day >= $2 AND day < $2::date + 7
    GROUP BY 1, 2, 3
) AS summed
GROUP BY 1, 2

-- name: organisations
-- Every organisation and unit with what it is part of.
SELECT source_id AS id, unit AS part_of FROM staff_standing WHERE source_type = 'Organization'
