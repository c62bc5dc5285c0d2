-- What current resources can be found by.
--
-- term: texts, codes, references and units that rows share, each once. kind: 0 folded text, with the text as written in
-- `second`; 1 code, with its system; 2 uri, with its version; 3 code of a unit, with its system and in `third` its name; 4 unit
-- without a code; from 101 on the packed id of a reference to the type of that number less 100, with its version. `head` is the first
-- 120 bytes, `whole` all of them where there are more. The three lowest bits of a number: 0 text, 1 code, 2 uri, 3 reference, 4 unit.
-- label: which resource has which term for which parameter. span: its dates (unit 0), numbers (1) and quantities (2 without a unit,
-- otherwise a term), numbers as integers in the same order. place: its positions. part: the group of a composite, otherwise 0.
-- SQLite appends the columns of the key to each other index.

CREATE TABLE term (
    number INTEGER NOT NULL PRIMARY KEY,
    tenant INTEGER NOT NULL,
    kind   INTEGER NOT NULL,
    hash   INTEGER NOT NULL,
    head   BLOB NOT NULL,
    whole  BLOB,
    second BLOB,
    third  BLOB
) STRICT;
CREATE INDEX term_of_text ON term (tenant, kind, head, hash);

CREATE TABLE label (
    tenant    INTEGER NOT NULL,
    parameter INTEGER NOT NULL,
    term      INTEGER NOT NULL,
    resource  INTEGER NOT NULL,
    part      INTEGER NOT NULL,
    PRIMARY KEY (tenant, parameter, term, resource, part)
) STRICT, WITHOUT ROWID;
CREATE INDEX label_of_resource ON label (tenant, resource, parameter);

CREATE TABLE span (
    tenant    INTEGER NOT NULL,
    parameter INTEGER NOT NULL,
    unit      INTEGER NOT NULL,
    last      INTEGER NOT NULL,
    first     INTEGER NOT NULL,
    resource  INTEGER NOT NULL,
    part      INTEGER NOT NULL,
    PRIMARY KEY (tenant, parameter, unit, last, first, resource, part)
) STRICT, WITHOUT ROWID;
CREATE INDEX span_of_resource ON span (tenant, resource, parameter);

CREATE TABLE place (
    tenant    INTEGER NOT NULL,
    parameter INTEGER NOT NULL,
    z         REAL NOT NULL,
    x         REAL NOT NULL,
    y         REAL NOT NULL,
    resource  INTEGER NOT NULL,
    part      INTEGER NOT NULL,
    PRIMARY KEY (tenant, parameter, z, x, y, resource, part)
) STRICT, WITHOUT ROWID;
CREATE INDEX place_of_resource ON place (tenant, resource, parameter);

-- Tenants with resources that have no rows yet, and up to which stamp theirs have: an earlier release wrote them.
CREATE TABLE unindexed (
    tenant INTEGER NOT NULL PRIMARY KEY,
    stamp  INTEGER NOT NULL
) STRICT;
INSERT INTO unindexed (tenant, stamp) SELECT DISTINCT r.tenant, 0 FROM resource r;
