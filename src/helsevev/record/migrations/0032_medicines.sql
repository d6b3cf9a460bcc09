-- The catalogue of medicines: reference data, about no inhabitant. One release of it is the current
-- one; what a release no longer names stays in it as withdrawn, so that old orders can be read.

-- Catalogues: the one that is looked up in, and one that is being loaded.
CREATE TABLE medicine_release (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    loaded_at timestamptz NOT NULL DEFAULT now(),
    is_current boolean NOT NULL,
    -- Whether its products are in the record as resources too.
    is_written boolean NOT NULL DEFAULT false,
    source text NOT NULL,
    version text NOT NULL,
    fingerprint text NOT NULL
);

CREATE UNIQUE INDEX medicine_release_current ON medicine_release (is_current) WHERE is_current;

-- What a release holds: products, packages, doses, substances, interactions, groups, terms.
CREATE TABLE medicine_entry (
    release integer NOT NULL,
    withdrawn date,
    kind text COLLATE "C" NOT NULL,
    id text COLLATE "C" NOT NULL,
    body text NOT NULL,
    PRIMARY KEY (release, kind, id)
);

-- What entries are found by: barcodes, item numbers, ATC codes. `part` tells the groups of
-- substances of an interaction apart.
CREATE TABLE medicine_key (
    release integer NOT NULL,
    part integer NOT NULL,
    kind text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    entry text COLLATE "C" NOT NULL
);

CREATE INDEX medicine_key_by_key ON medicine_key (release, kind, key);

-- How products are ordered here: doses that at least five people have been given an order for.
CREATE TABLE medicine_sentence (
    place integer NOT NULL,
    people integer NOT NULL,
    learned_at timestamptz NOT NULL,
    product text COLLATE "C" NOT NULL,
    dosage text NOT NULL,
    PRIMARY KEY (product, place)
);
