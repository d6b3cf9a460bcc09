-- name: items
-- What a unit keeps, with its settings.
SELECT product, body, changed_at, changed_by FROM stock_item WHERE unit = $1 ORDER BY product

-- name: keep_item
-- Settings of something that a unit keeps.
INSERT INTO stock_item (unit, product, body, changed_at, changed_by) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (unit, product) DO UPDATE
SET body = excluded.body, changed_at = excluded.changed_at, changed_by = excluded.changed_by

-- name: turn
-- Those who take of the same things at a unit take their turns; gives those that the unit keeps.
SELECT product FROM stock_item WHERE unit = $1 AND product = ANY($2::text[]) ORDER BY product FOR UPDATE

-- name: balances
-- What is on the shelf of a unit by batch: the sum of its book and of what the record says was taken.
SELECT product, batch, expires, sum(amount), max(at)
FROM (SELECT product, batch, expires, amount, at FROM stock_movement
      WHERE unit = $1 AND ($2::text[] IS NULL OR product = ANY($2))
      UNION ALL
      SELECT product, batch, expires, amount, at FROM stock_taken
      WHERE unit = $1 AND ($2::text[] IS NULL OR product = ANY($2)) AND amount IS NOT NULL) AS line
GROUP BY product, batch, expires ORDER BY product, expires NULLS LAST, batch

-- name: book
-- The lines of one thing at a unit in a time, the oldest first, with what the record says was taken.
SELECT id, at, product, batch, expires, kind, amount, actor, actor_name, reason, about
FROM stock_movement WHERE unit = $1 AND product = $2 AND at >= $3 AND at < $4
UNION ALL
SELECT source_type || '/' || source_id || '.' || place, at, product, batch, expires, kind, amount,
       actor, actor_name, reason, source_type || '/' || source_id
FROM stock_taken WHERE unit = $1 AND product = $2 AND at >= $3 AND at < $4
ORDER BY 2, 1

-- name: before
-- How much of one thing there was at a unit at a time.
SELECT coalesce((SELECT sum(amount) FROM stock_movement WHERE unit = $1 AND product = $2 AND at < $3), 0)
     + coalesce((SELECT sum(amount) FROM stock_taken WHERE unit = $1 AND product = $2 AND at < $3), 0)

-- name: add_movements
-- Add lines to the book of a unit; gives the ids of those that were not there.
INSERT INTO stock_movement (unit, id, at, product, batch, expires, kind, amount, actor, actor_name,
                            reason, about)
SELECT $1, m.id, $2, m.product, m.batch, m.expires, m.kind, m.amount, $3, $4, m.reason, m.about
FROM unnest($5::text[], $6::text[], $7::text[], $8::date[], $9::text[], $10::numeric[], $11::text[],
            $12::text[]) AS m (id, product, batch, expires, kind, amount, reason, about)
ON CONFLICT (unit, id) DO NOTHING
RETURNING id

-- name: add_notes
-- Add what was said about the stock of a unit; gives the ids of what was not said already.
INSERT INTO stock_note (unit, id, at, kind, about, actor, actor_name, body)
SELECT $1, n.id, $2, n.kind, n.about, $3, $4, n.body
FROM unnest($5::text[], $6::text[], $7::text[], $8::text[]) AS n (id, kind, about, body)
ON CONFLICT (unit, id) DO NOTHING
RETURNING id

-- name: notes
-- What was said of some kinds about the stock of a unit since a time, the oldest first.
SELECT id, at, kind, about, actor, actor_name, body FROM stock_note
WHERE unit = $1 AND kind = ANY($2::text[]) AND at >= $3 ORDER BY at, id

-- name: unwitnessed
-- Lines of some kinds of some things that nobody has signed as the second, the oldest first.
SELECT m.id, m.at, m.product, m.batch, m.expires, m.kind, m.amount, m.actor, m.actor_name, m.reason,
       m.about
FROM stock_movement m
WHERE m.unit = $1 AND m.kind = ANY($2::text[]) AND m.product = ANY($3::text[])
  AND NOT EXISTS (SELECT FROM stock_note n WHERE n.unit = m.unit AND n.id = 'witness.' || m.id)
ORDER BY m.at, m.id

-- name: movement
-- One line of a unit's book.
SELECT id, at, product, batch, expires, kind, amount, actor, actor_name, reason, about
FROM stock_movement WHERE unit = $1 AND id = $2

-- name: on_the_way
-- What other units have sent to this one ($1) that it has not received, the oldest first.
SELECT m.unit, m.id, m.at, m.product, m.batch, m.expires, m.kind, m.amount, m.actor, m.actor_name,
       m.reason, m.about, i.body
FROM stock_movement m LEFT JOIN stock_item i ON i.unit = m.unit AND i.product = m.product
WHERE m.about = $1 AND m.kind = 'moved-out'
  AND NOT EXISTS (SELECT FROM stock_note n WHERE n.unit = $1 AND n.id = 'received.' || m.unit || '.' || m.id)
ORDER BY m.at, m.id

-- name: taken_unclear
-- Doses that were taken from the stock of a unit in an amount that nobody could tell, since a time.
SELECT product, source_type, source_id, at, actor_name FROM stock_taken
WHERE unit = $1 AND amount IS NULL AND at >= $2 ORDER BY at

-- name: filled_for
-- Inhabitants, of some ($2; null: of all), who have something filled that lasts beyond a time.
SELECT DISTINCT patient FROM stock_filling
WHERE until_at > $1 AND ($2::bigint[] IS NULL OR patient = ANY($2)) ORDER BY patient
