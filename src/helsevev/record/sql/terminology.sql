-- name: candidates
-- The releases that a system's URL may mean, and the CodeSystem resources with that URL.
SELECT r.id, r.system, r.version, r.name, r.language, r.content, r.origin, r.case_sensitive,
       r.is_current, r.concepts, r.properties::text AS properties
FROM terminology_alias a JOIN terminology_release r ON r.id = a.release
WHERE a.url = $1 AND ($2 = '' OR r.version = $2)
UNION ALL
SELECT NULL, url, version, status, NULL, NULL, origin, NULL, NULL, NULL, NULL
FROM terminology_resource
WHERE url = $1 AND source_type = 'CodeSystem' AND ($2 = '' OR version = $2)
ORDER BY is_current DESC NULLS LAST, id DESC

-- name: versions
-- The versions of a system that are here.
SELECT DISTINCT r.version
FROM terminology_alias a JOIN terminology_release r ON r.id = a.release
WHERE a.url = $1
ORDER BY r.version

-- name: releases
-- Every release with its size, for a list.
SELECT r.system, r.version, r.name, r.content, r.concepts, r.is_current, r.loaded_at, r.source,
       r.origin
FROM terminology_release r
ORDER BY r.system, r.loaded_at

-- name: concept
-- One concept of a release by its code.
SELECT c.number, c.code, c.display, c.definition, c.active, c.abstract, c.parents, c.below,
       c.properties::text AS properties
FROM terminology_concept c
WHERE c.release = $1 AND lower(c.code) COLLATE "C" = lower($2) AND (c.code = $2 OR NOT $3)
ORDER BY c.code = $2 DESC
LIMIT 1

-- name: concepts_by_code
-- The numbers and runs of several codes.
SELECT c.number, c.code, c.below, c.parents
FROM terminology_concept c
WHERE c.release = $1
  AND lower(c.code) COLLATE "C" = ANY (SELECT lower(code) FROM unnest($2::text[]) AS code)
  AND (NOT $3 OR c.code = ANY ($2))

-- name: designations
-- Every name of a concept, the preferred ones first.
SELECT language, purpose, value, preferred
FROM terminology_designation
WHERE release = $1 AND concept = $2
ORDER BY preferred DESC, language, value

-- name: shown
-- Concepts by number, each with its name in the first of the languages $3 that it has one in; what
-- is fully specified ($4) only when nothing else is.
SELECT c.number, c.code, coalesce(named.value, c.display) AS display, c.active, c.abstract,
       c.definition
FROM terminology_concept c
LEFT JOIN LATERAL (
    SELECT value FROM terminology_designation d
    WHERE d.release = c.release AND d.concept = c.number
    ORDER BY coalesce(array_position($3::text[], split_part(d.language, '-', 1)), 99),
             d.purpose = $4, d.preferred DESC, d.purpose <> 'display', d.value
    LIMIT 1
) AS named ON true
WHERE c.release = $1 AND c.number = ANY ($2::integer[])

-- name: designations_of_many
-- Every name of several concepts.
SELECT concept, language, purpose, value, preferred
FROM terminology_designation
WHERE release = $1 AND concept = ANY ($2::integer[])
ORDER BY concept, preferred DESC, language, value

-- name: codes
-- The codes of the concepts in some runs of numbers ($2 first, $3 last of each).
SELECT c.code
FROM unnest($2::integer[], $3::integer[]) AS run (low, high)
JOIN terminology_concept c ON c.release = $1 AND c.number BETWEEN run.low AND run.high
ORDER BY c.number

-- name: above
-- The numbers of all that a concept is a kind of, itself left out.
WITH RECURSIVE above (number) AS (
    SELECT unnest(parents) FROM terminology_concept WHERE release = $1 AND number = $2
    UNION
    SELECT unnest(c.parents)
    FROM above a JOIN terminology_concept c ON c.release = $1 AND c.number = a.number
)
SELECT number FROM above ORDER BY number

-- name: children
-- The numbers of what a concept is the direct parent of, among the runs below it.
SELECT c.number
FROM unnest($3::integer[], $4::integer[]) AS run (low, high)
JOIN terminology_concept c ON c.release = $1 AND c.number BETWEEN run.low AND run.high
WHERE $2 = ANY (c.parents)
ORDER BY c.number

-- name: inactive
-- The numbers of the concepts that are no longer in use.
SELECT number FROM terminology_concept WHERE release = $1 AND NOT active

-- name: abstract
-- The numbers of the concepts that only group others.
SELECT number FROM terminology_concept WHERE release = $1 AND abstract

-- name: with_property
-- The numbers of the concepts that have one of some values ($2, as {"name": [value]}).
SELECT number FROM terminology_concept
WHERE release = $1 AND properties <> '{}'
  AND properties @> ANY (ARRAY(SELECT value::jsonb FROM unnest($2::text[]) AS value))

-- name: having_property
-- The numbers of the concepts that say anything of a property.
SELECT number FROM terminology_concept WHERE release = $1 AND properties ? $2

-- name: property_matching
-- The numbers of the concepts with a value of a property that is wholly like a pattern.
SELECT c.number FROM terminology_concept c
WHERE c.release = $1 AND EXISTS (
    SELECT FROM jsonb_array_elements_text(c.properties -> $2) AS value WHERE value ~ $3)

-- name: code_matching
-- The numbers of the concepts whose code is wholly like a pattern.
SELECT number FROM terminology_concept WHERE release = $1 AND code ~ $2

-- name: display_matching
-- The numbers of the concepts that have a name wholly like a pattern.
SELECT DISTINCT concept FROM terminology_designation WHERE release = $1 AND value ~ $2

-- name: members
-- The numbers of the concepts in a named set, or, with "*", of the sets themselves.
SELECT m.concept FROM terminology_member m WHERE m.release = $1 AND m.member_of = $2
UNION
SELECT c.number FROM terminology_concept c
WHERE c.release = $1 AND $2 = '*'
  AND c.code IN (SELECT member_of FROM terminology_member WHERE release = $1)

-- name: has_member_set
-- Whether a release has a named set.
SELECT EXISTS (SELECT FROM terminology_member WHERE release = $1 AND member_of = $2)

-- name: names_within
-- Which concepts of a small set ($2, $3: its runs) have a name with words that begin so ($4).
SELECT d.concept, d.folded
FROM unnest($2::integer[], $3::integer[]) AS run (low, high)
JOIN terminology_designation d ON d.release = $1 AND d.concept BETWEEN run.low AND run.high
WHERE ' ' || d.folded LIKE ALL ($4::text[])

-- name: names_that_start
-- Concepts of a set ($4, as a multirange) whose name begins with a text, in the alphabet's order.
WITH wanted AS MATERIALIZED (SELECT $4::text::int4multirange AS within)
SELECT d.concept, d.folded
FROM terminology_designation d, wanted w
WHERE d.release = $1 AND d.folded >= $2 AND d.folded < $3 AND w.within @> d.concept
ORDER BY d.folded, d.concept
LIMIT $5

-- name: names_with_words
-- Concepts of a set ($2, as a multirange) that have a name with words that begin so: the index is
-- asked for the long words ($1), and what it finds is looked at for all ($3). Names that begin with
-- the whole text ($5) come first, then the shortest.
WITH wanted AS MATERIALIZED (SELECT $2::text::int4multirange AS within), found AS MATERIALIZED (
    SELECT d.concept, d.folded
    FROM terminology_designation d, wanted w
    WHERE terminology_words(d.release, d.folded) @@ $1::text::tsquery AND w.within @> d.concept
      AND ' ' || d.folded LIKE ALL ($3::text[])
    LIMIT $4
)
SELECT concept, folded FROM found
ORDER BY NOT starts_with(folded, $5), length(folded), folded
LIMIT $6

-- name: common_starts
-- How many names have words that begin in each of these ways ($2), where they are many.
SELECT start, names FROM terminology_common WHERE release = $1 AND start = ANY ($2::text[])

-- name: names_by_looking
-- At most $6 concepts of a set ($2, $3: its runs) that have a name with words that begin so ($4), of
-- its first $5 names.
SELECT n.concept, n.folded
FROM (
    SELECT found.concept, found.folded
    FROM unnest($2::integer[], $3::integer[]) AS run (low, high)
    CROSS JOIN LATERAL (
        SELECT d.concept, d.folded FROM terminology_designation d
        WHERE d.release = $1 AND d.concept BETWEEN run.low AND run.high
        ORDER BY d.concept
        LIMIT $5
    ) AS found
    LIMIT $5
) AS n
WHERE ' ' || n.folded LIKE ALL ($4::text[])
LIMIT $6

-- name: codes_that_start
-- Concepts of a set ($4, as a multirange) whose code begins with a text.
WITH wanted AS MATERIALIZED (SELECT $4::text::int4multirange AS within)
SELECT c.number, lower(c.code) AS folded
FROM terminology_concept c, wanted w
WHERE c.release = $1 AND lower(c.code) COLLATE "C" >= $2 AND lower(c.code) COLLATE "C" < $3
  AND w.within @> c.number
ORDER BY lower(c.code) COLLATE "C"
LIMIT $5

-- name: value_sets
-- The value sets that a URL means: those in the record, then those that were loaded, newest first.
SELECT version, origin, NULL AS resource
FROM terminology_resource
WHERE url = $1 AND source_type = 'ValueSet' AND ($2 = '' OR version = $2)
UNION ALL
(SELECT version, '', resource::text
 FROM terminology_value_set
 WHERE url = $1 AND ($2 = '' OR version = $2)
 ORDER BY loaded_at DESC, version DESC)

-- name: maps
-- The maps that fit: by URL ($1), by the value sets they map from ($3) and to ($4); "" is any.
SELECT m.id, m.url, m.version, m.name, m.origin
FROM terminology_map m
WHERE ($1 = '' OR m.url = $1) AND ($2 = '' OR m.version = $2)
  AND ($3 = '' OR m.source_value_set = $3) AND ($4 = '' OR m.target_value_set = $4)
ORDER BY m.loaded_at DESC, m.id DESC

-- name: posted_maps
-- The ConceptMap resources with a URL, or all when it is "".
SELECT url, version, origin FROM terminology_resource
WHERE source_type = 'ConceptMap' AND ($1 = '' OR url = $1) AND ($2 = '' OR version = $2)

-- name: mapped
-- Where the maps $1 lead from a code of one of the systems $2, perhaps to the systems $4.
SELECT m.map, m.source_system, m.source, m.target_system, m.target, m.equivalence, m.display,
       m.comment
FROM terminology_mapping m
WHERE m.source = $3 AND m.map = ANY ($1::integer[]) AND m.source_system = ANY ($2::text[])
  AND ($4::text[] = '{}' OR m.target_system = ANY ($4::text[]) OR m.target = '')
ORDER BY array_position($1, m.map), m.place

-- name: mapped_backwards
-- Where the maps $1 lead to a code of one of the systems $2, from codes of the systems $4.
SELECT m.map, m.source_system, m.source, m.target_system, m.target, m.equivalence, m.display,
       m.comment
FROM terminology_mapping m
WHERE m.target = $3 AND m.map = ANY ($1::integer[]) AND m.target_system = ANY ($2::text[])
  AND ($4::text[] = '{}' OR m.source_system = ANY ($4::text[]))
ORDER BY array_position($1, m.map), m.place

-- name: aliases
-- Every URL of the systems that one URL may mean.
SELECT DISTINCT other.url
FROM terminology_alias a JOIN terminology_alias other ON other.release = a.release
WHERE a.url = $1
