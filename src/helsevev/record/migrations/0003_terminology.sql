-- Code systems, their concepts and names, value sets and maps: reference data, about no inhabitant.
-- Concepts are numbered depth first within their release, so that all that is below one of them is
-- a few runs of numbers.

-- Releases of code systems: one version of one system, or what one version of a CodeSystem resource
-- (`origin`) says.
CREATE TABLE terminology_release (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    concepts integer NOT NULL,
    loaded_at timestamptz NOT NULL DEFAULT now(),
    is_current boolean NOT NULL,
    case_sensitive boolean NOT NULL,
    system text NOT NULL,
    version text NOT NULL,
    name text NOT NULL,
    language text NOT NULL,
    content text NOT NULL,
    source text NOT NULL,
    origin text NOT NULL,
    fingerprint text NOT NULL,
    properties jsonb NOT NULL,
    UNIQUE (system, version, origin)
);

-- The URLs that a release's system is known by, its own among them.
CREATE TABLE terminology_alias (
    release integer NOT NULL REFERENCES terminology_release ON DELETE CASCADE,
    url text NOT NULL,
    PRIMARY KEY (url, release)
);

-- Concepts. `below` holds the runs (first, last, first, last) of the numbers of a concept and of all
-- that it subsumes; it is empty when that is the concept alone.
CREATE TABLE terminology_concept (
    release integer NOT NULL,
    number integer NOT NULL,
    active boolean NOT NULL,
    abstract boolean NOT NULL,
    code text COLLATE "C" NOT NULL,
    display text NOT NULL,
    definition text NOT NULL,
    parents integer[] NOT NULL,
    below integer[] NOT NULL,
    properties jsonb NOT NULL,
    PRIMARY KEY (release, number)
);

CREATE INDEX terminology_concept_by_code ON terminology_concept (release, lower(code) COLLATE "C");

CREATE INDEX terminology_concept_by_property ON terminology_concept
    USING gin (properties jsonb_path_ops) WHERE properties <> '{}';

-- Every name of a concept, and how it is written to be found: small letters, words apart.
CREATE TABLE terminology_designation (
    release integer NOT NULL,
    concept integer NOT NULL,
    preferred boolean NOT NULL,
    language text NOT NULL,
    purpose text NOT NULL,
    value text NOT NULL,
    folded text COLLATE "C" NOT NULL
);

CREATE INDEX terminology_designation_of_concept ON terminology_designation (release, concept);

CREATE INDEX terminology_designation_by_start
    ON terminology_designation (release, folded, concept);

-- Each word of a name after its release's number, so that one release is searched and not all.
CREATE FUNCTION terminology_words(release integer, folded text) RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT array_to_tsvector(array_remove(string_to_array(
        release::text || '.' || replace(folded, ' ', ' ' || release::text || '.'), ' '), ''))
$$;

CREATE INDEX terminology_designation_by_word
    ON terminology_designation USING gin (terminology_words(release, folded));

-- Named sets of a release's concepts: SNOMED CT reference sets, LOINC answer lists.
CREATE TABLE terminology_member (
    release integer NOT NULL,
    concept integer NOT NULL,
    member_of text NOT NULL,
    PRIMARY KEY (release, member_of, concept)
);

-- Value sets that were loaded, as FHIR.
CREATE TABLE terminology_value_set (
    loaded_at timestamptz NOT NULL DEFAULT now(),
    url text NOT NULL,
    version text NOT NULL,
    resource jsonb NOT NULL,
    PRIMARY KEY (url, version)
);

-- Concept maps.
CREATE TABLE terminology_map (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    loaded_at timestamptz NOT NULL DEFAULT now(),
    url text NOT NULL,
    version text NOT NULL,
    name text NOT NULL,
    source_value_set text NOT NULL,
    target_value_set text NOT NULL,
    origin text NOT NULL,
    UNIQUE (url, version, origin)
);

-- The lines of concept maps, best first.
CREATE TABLE terminology_mapping (
    map integer NOT NULL REFERENCES terminology_map ON DELETE CASCADE,
    place integer NOT NULL,
    source_system text NOT NULL,
    source text NOT NULL,
    target_system text NOT NULL,
    target text NOT NULL,
    equivalence text NOT NULL,
    display text NOT NULL,
    comment text NOT NULL
);

CREATE INDEX terminology_mapping_by_source ON terminology_mapping (source, map);

CREATE INDEX terminology_mapping_by_target ON terminology_mapping (target, map);

CREATE INDEX terminology_mapping_of_map ON terminology_mapping (map);

-- The canonical URLs of CodeSystem, ValueSet and ConceptMap resources in the record.
CREATE TABLE terminology_resource (
    patient bigint NOT NULL,
    source_type text NOT NULL,
    source_id text NOT NULL,
    url text NOT NULL,
    version text NOT NULL,
    status text NOT NULL,
    origin text NOT NULL
);

CREATE INDEX terminology_resource_of_source
    ON terminology_resource (patient, source_type, source_id);

CREATE INDEX terminology_resource_by_url ON terminology_resource (url, source_type);
