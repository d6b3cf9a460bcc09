-- Searches across inhabitants by a status that few have, and by what lasts until a time to come.

-- Common values name few rows now and then ("cancelled"): which rows have a combination of them.
-- Some two hundred combinations in twelve million rows: seven bytes a row.
-- outside a transaction
CREATE INDEX CONCURRENTLY IF NOT EXISTS resource_by_tokens
ON resource (type, token_set) WITH (fillfactor = 95);

-- What lasts no longer than a day after a time began less than a day before it, so that the index
-- by date finds it; this has the others, which are few.
-- outside a transaction
CREATE INDEX CONCURRENTLY IF NOT EXISTS resource_lasting
ON resource (type, date_high) WHERE date_high > date_low + 86400000000;

-- What is contained in a resource is searched, too: rows of before are worked out anew.
DELETE FROM extraction WHERE EXISTS (SELECT FROM resource);

-- An empty record has no row of older rules.
INSERT INTO extraction (rules, patient, type, id, done, changed, finished_at)
SELECT 3, 0, 'Account', '', 0, 0, now() WHERE NOT EXISTS (SELECT FROM resource)
