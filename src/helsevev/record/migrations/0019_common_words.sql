-- How many names of a large release have words that begin so, where they are many: an index of
-- words is slower for them than the names themselves. The empty beginning counts all names.
CREATE TABLE terminology_common (
    release integer NOT NULL,
    start text COLLATE "C" NOT NULL,
    names integer NOT NULL,
    PRIMARY KEY (release, start)
);

-- Who types waits for twenty names: starting other processes would take longer than finding them.
ALTER TABLE terminology_designation SET (parallel_workers = 0);
