-- What current resources can be found by. Kinds, numbers and units are those of the SQLite schema.
--
-- term: texts, codes, references and units that rows share, each once. label: which resource has which term for which parameter.
-- span: its dates, numbers and quantities, numbers as integers in the same order. place: its positions. part: the group of a
-- composite, otherwise 0. Rows have no key of their own: whoever writes holds the tenant's row and writes none twice, and indexes
-- that are not unique share the space of equal entries: one of resources alone takes a seventh of one of resources and parameters.

CREATE TABLE term (
    tenant bigint NOT NULL,
    number bigint NOT NULL,
    hash   integer NOT NULL,
    kind   smallint NOT NULL,
    head   bytea NOT NULL,
    whole  bytea,
    second bytea,
    third  bytea,
    PRIMARY KEY (tenant, number)
);
CREATE INDEX term_of_text ON term (tenant, kind, head, hash);

CREATE TABLE label (
    tenant    bigint NOT NULL,
    resource  bigint NOT NULL,
    term      bigint NOT NULL,
    parameter integer NOT NULL,
    part      integer NOT NULL
);
CREATE INDEX label_of_term ON label (tenant, parameter, term);
CREATE INDEX label_of_resource ON label (tenant, resource);

CREATE TABLE span (
    tenant    bigint NOT NULL,
    resource  bigint NOT NULL,
    unit      bigint NOT NULL,
    last      bigint NOT NULL,
    first     bigint NOT NULL,
    parameter integer NOT NULL,
    part      integer NOT NULL
);
CREATE INDEX span_of_time ON span (tenant, parameter, unit, last);
CREATE INDEX span_of_resource ON span (tenant, resource);

CREATE TABLE place (
    tenant    bigint NOT NULL,
    resource  bigint NOT NULL,
    x         double precision NOT NULL,
    y         double precision NOT NULL,
    z         double precision NOT NULL,
    parameter integer NOT NULL,
    part      integer NOT NULL
);
CREATE INDEX place_of_height ON place (tenant, parameter, z);
CREATE INDEX place_of_resource ON place (tenant, resource);

-- Tenants with resources that have no rows yet, and up to which stamp theirs have: an earlier release wrote them.
CREATE TABLE unindexed (
    tenant bigint NOT NULL PRIMARY KEY,
    stamp  bigint NOT NULL
);
INSERT INTO unindexed (tenant, stamp) SELECT DISTINCT r.tenant, 0 FROM resource r;
