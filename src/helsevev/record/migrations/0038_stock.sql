-- A unit's stock of medicines (docs/decisions/0038): about a shelf, and about no inhabitant. What was
-- taken in and out is added to and never changed; what is on the shelf is the sum of it.
CREATE TABLE stock_item (
    unit text COLLATE "C" NOT NULL,
    product text COLLATE "C" NOT NULL,
    body text NOT NULL,
    changed_at timestamptz NOT NULL,
    changed_by text NOT NULL,
    PRIMARY KEY (unit, product)
);

-- One line of the book. `id` is the form's key and the line's number in it, so that a form that is
-- sent twice is one line. `amount` is below zero for what goes out.
CREATE TABLE stock_movement (
    unit text COLLATE "C" NOT NULL,
    id text COLLATE "C" NOT NULL,
    at timestamptz NOT NULL,
    product text COLLATE "C" NOT NULL,
    batch text COLLATE "C" NOT NULL,
    expires date,
    kind text COLLATE "C" NOT NULL,
    amount numeric NOT NULL CHECK (amount <> 0),
    actor text NOT NULL,
    actor_name text NOT NULL,
    reason text NOT NULL,
    about text COLLATE "C" NOT NULL,
    PRIMARY KEY (unit, id)
);

CREATE INDEX stock_movement_product ON stock_movement (unit, product, at);

CREATE INDEX stock_movement_about ON stock_movement (about, kind) WHERE about <> '';

-- What was said besides: counts, second signatures, explanations, orders and what became of them.
-- What can be said once has an id that says of what.
CREATE TABLE stock_note (
    unit text COLLATE "C" NOT NULL,
    id text COLLATE "C" NOT NULL,
    at timestamptz NOT NULL,
    kind text COLLATE "C" NOT NULL,
    about text COLLATE "C" NOT NULL,
    actor text NOT NULL,
    actor_name text NOT NULL,
    body text NOT NULL,
    PRIMARY KEY (unit, id)
);

CREATE INDEX stock_note_kind ON stock_note (unit, kind, at);

CREATE FUNCTION stock_is_added_to() RETURNS trigger LANGUAGE plpgsql AS
$$
BEGIN
    RAISE EXCEPTION 'the book of a stock is added to, never changed';
END
$$;

CREATE TRIGGER stock_movement_is_added_to BEFORE UPDATE OR DELETE ON stock_movement
FOR EACH STATEMENT EXECUTE FUNCTION stock_is_added_to();

CREATE TRIGGER stock_note_is_added_to BEFORE UPDATE OR DELETE ON stock_note
FOR EACH STATEMENT EXECUTE FUNCTION stock_is_added_to();

-- Doses and dispenses that were taken from a unit's stock, as the record says: a read model, written
-- with what it is of. An amount that could not be told in the stock's unit is null.
CREATE TABLE stock_taken (
    patient bigint NOT NULL,
    source_type text NOT NULL,
    source_id text NOT NULL,
    unit text COLLATE "C" NOT NULL,
    product text COLLATE "C" NOT NULL,
    batch text COLLATE "C" NOT NULL,
    expires date,
    kind text COLLATE "C" NOT NULL,
    amount numeric,
    at timestamptz NOT NULL,
    actor text NOT NULL,
    actor_name text NOT NULL,
    reason text NOT NULL,
    place smallint NOT NULL,
    PRIMARY KEY (patient, source_type, source_id, place)
);

CREATE INDEX stock_taken_product ON stock_taken (unit, product, at);

ALTER TABLE stock_taken ENABLE ROW LEVEL SECURITY;

CREATE VIEW shown.stock_taken WITH (check_option = local) AS SELECT * FROM stock_taken
WHERE coalesce((SELECT shown.scope())[width_bucket(patient, (SELECT shown.scope()))] = patient, false);

GRANT SELECT, INSERT, UPDATE, DELETE ON shown.stock_taken TO helsevev_author;

GRANT SELECT ON shown.stock_taken TO helsevev_asker;
