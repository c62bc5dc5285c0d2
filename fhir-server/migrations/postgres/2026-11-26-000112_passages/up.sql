-- Full text, where it is kept: words of resources beside each other, as in the SQLite schema. The index over words begins with no tenant:
-- indexes of its kind take none.
CREATE TABLE passage (
    tenant   bigint NOT NULL,
    resource bigint NOT NULL,
    section  smallint NOT NULL,
    part     integer NOT NULL,
    digest   bytea NOT NULL,
    words    tsvector NOT NULL
);
CREATE INDEX passage_of_resource ON passage (tenant, resource);
CREATE INDEX passage_words ON passage USING gin (words);

-- A row where full text is kept of all resources.
CREATE TABLE full_text (kept integer NOT NULL PRIMARY KEY);
