-- Professional content as it was released: every version of every item for good, and which of them
-- each release of a pack put in force. `place` is '' for everybody, else the organisation that has
-- its own. It says nothing of anybody.
CREATE TABLE content_item (
    seq bigint GENERATED ALWAYS AS IDENTITY,
    folder text COLLATE "C" NOT NULL,
    item text COLLATE "C" NOT NULL,
    version text COLLATE "C" NOT NULL,
    place text COLLATE "C" NOT NULL,
    pack text COLLATE "C" NOT NULL,
    path text COLLATE "C" NOT NULL,
    body text NOT NULL,
    -- One version is one text, wherever it is used: an answer names it and no place.
    PRIMARY KEY (folder, item, version)
);

-- A release holds all that the pack holds from then on: `items` is JSON, path -> version. What comes
-- with the program is no release: it is in force where a pack has none.
CREATE TABLE content_release (
    number bigint PRIMARY KEY,
    place text COLLATE "C" NOT NULL,
    pack text COLLATE "C" NOT NULL,
    version text COLLATE "C" NOT NULL,
    effective_from date NOT NULL,
    page text NOT NULL,
    items text NOT NULL,
    words text NOT NULL,
    back_to bigint,
    released_at timestamptz NOT NULL,
    released_by text COLLATE "C" NOT NULL,
    released_by_name text NOT NULL,
    reviewed_by text COLLATE "C" NOT NULL,
    reviewed_by_name text NOT NULL
);

CREATE INDEX content_release_pack ON content_release (pack, place, number);

-- What somebody is changing of a pack: `files` is JSON, path -> text (null: taken away). `turn` rises
-- with each saving, so that nobody's work is overwritten; `authors` are all who wrote in it.
CREATE TABLE content_change (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    place text COLLATE "C" NOT NULL,
    pack text COLLATE "C" NOT NULL,
    title text NOT NULL,
    files text NOT NULL,
    based_on bigint NOT NULL,
    state text COLLATE "C" NOT NULL,
    turn integer NOT NULL,
    authors text[] NOT NULL,
    started_at timestamptz NOT NULL,
    saved_at timestamptz NOT NULL,
    ended_at timestamptz
);

CREATE INDEX content_change_open ON content_change (pack) WHERE ended_at IS NULL;

-- What was done with a change, and what was said of it, line by line.
CREATE TABLE content_change_line (
    change bigint NOT NULL REFERENCES content_change (id),
    at timestamptz NOT NULL,
    act text COLLATE "C" NOT NULL,
    words text NOT NULL,
    actor text COLLATE "C" NOT NULL,
    actor_name text NOT NULL,
    PRIMARY KEY (change, at, act)
);
