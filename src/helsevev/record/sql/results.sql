-- name: unasked
-- Inhabitants ($1, null: everybody) with a result that nobody has acknowledged or is asked to, and
-- those with an early answer, which may be critical.
SELECT DISTINCT d.patient
FROM result_state d
WHERE d.kind IN ('due', 'early') AND ($1::bigint[] IS NULL OR d.patient = ANY ($1::bigint[]))
  AND NOT EXISTS (
      SELECT FROM result_state t
      WHERE t.patient = d.patient AND t.key = d.key AND t.kind IN ('waits', 'acknowledged')
  )
ORDER BY d.patient

-- name: counted
-- How many results have to be acknowledged, how many are, how many wait for somebody, and how many
-- neither: the last is to be none.
SELECT count(*) AS due,
       count(*) FILTER (WHERE acknowledged) AS acknowledged,
       count(*) FILTER (WHERE waits AND NOT acknowledged) AS waiting,
       count(*) FILTER (WHERE NOT waits AND NOT acknowledged) AS lost
FROM (
    SELECT EXISTS (SELECT FROM result_state t WHERE t.patient = d.patient AND t.key = d.key
                   AND t.kind = 'acknowledged') AS acknowledged,
           EXISTS (SELECT FROM result_state t WHERE t.patient = d.patient AND t.key = d.key
                   AND t.kind = 'waits') AS waits
    FROM result_state d WHERE d.kind = 'due'
) AS each
