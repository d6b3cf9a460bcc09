-- name: said
-- The newest resources of each type of an inhabitant ($1) whose words hold what is asked ($2), so
-- many ($3) of each.
SELECT r.patient, r.type, r.id, r.version, r.last_updated, false AS deleted, r.body
FROM (
    SELECT r.type, r.id,
           row_number() OVER (PARTITION BY r.type ORDER BY r.date_low DESC) AS place
    FROM search_text s
    JOIN resource r ON r.patient = $1 AND r.type = s.type AND r.id = s.id
    WHERE s.patient = $1 AND s.words @@ words_begun($2::text[])
) AS found
JOIN resource r ON r.patient = $1 AND r.type = found.type AND r.id = found.id
WHERE found.place <= $3
ORDER BY r.date_low DESC

-- name: measured
-- The two newest measurements of each code of an inhabitant.
SELECT r.patient, r.type, r.id, r.version, r.last_updated, false AS deleted, r.body
FROM (
    SELECT id, date_low, row_number() OVER (PARTITION BY code ORDER BY date_low DESC) AS place
    FROM resource
    WHERE patient = $1 AND type = 'Observation'
) AS newest
JOIN resource r ON r.patient = $1 AND r.type = 'Observation' AND r.id = newest.id
WHERE newest.place <= 2
ORDER BY newest.date_low DESC

-- name: holding
-- Which of some texts ($1) hold what is asked ($2), by their places.
SELECT t.place::integer AS place
FROM unnest($1::text[]) WITH ORDINALITY AS t (said, place),
     (SELECT words_begun($2::text[]) AS asked) AS q
WHERE stems_of(t.said) @@ q.asked
ORDER BY t.place
