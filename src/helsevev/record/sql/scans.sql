-- name: count
-- That this happened at a unit on a day, so many times more.
INSERT INTO scan_count (day, unit, means, what, outcome, product, times)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (unit, day, means, what, outcome, product)
DO UPDATE SET times = scan_count.times + excluded.times

-- name: of_units
-- What happened at some units since a day, summed by week.
SELECT date_trunc('week', day)::date, means, what, outcome, product, sum(times)::bigint
FROM scan_count
WHERE unit = ANY ($1::text[]) AND day >= $2
GROUP BY 1, 2, 3, 4, 5
ORDER BY 1, 2, 3, 4, 5
