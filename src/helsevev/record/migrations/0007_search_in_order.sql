-- Pages of searches by name in the order of the names, and what was written lately.

-- With the inhabitant behind the text, a page of those who share a name is one range of the index,
-- and who fits two texts is told by the index alone.
-- outside a transaction
CREATE INDEX CONCURRENTLY IF NOT EXISTS search_string_in_order
ON search_string (type, name, value, patient);

-- outside a transaction
DROP INDEX CONCURRENTLY IF EXISTS search_string_by_value;

-- Rows lie about in the order in which they were written: a hundred kilobytes tell, for ten million
-- of them, where those of a span of time are.
-- outside a transaction
CREATE INDEX CONCURRENTLY IF NOT EXISTS resource_by_time
ON resource USING brin (last_updated) WITH (autosummarize = on);
