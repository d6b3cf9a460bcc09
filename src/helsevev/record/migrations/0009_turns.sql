-- Writers on the same condition take turns, whichever process they are in: a conditional create
-- counts its condition up in its own transaction, and is undone when another has done so since it
-- looked. Not distributed; rows are of use for as long as a request can last.
CREATE TABLE turn (
    condition bigint PRIMARY KEY,
    number integer NOT NULL,
    at timestamptz NOT NULL
);
