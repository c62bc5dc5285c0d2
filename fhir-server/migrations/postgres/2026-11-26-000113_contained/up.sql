-- Contained resources, as in the SQLite schema.
CREATE TABLE contained (
    surrogate bigint NOT NULL,
    tenant    bigint NOT NULL,
    container bigint NOT NULL,
    type      smallint NOT NULL,
    id        bytea NOT NULL,
    fragment  bytea NOT NULL,
    PRIMARY KEY (tenant, surrogate)
);
CREATE INDEX contained_in ON contained (tenant, container);
CREATE INDEX contained_key ON contained (tenant, type, id);
INSERT INTO unindexed (tenant, stamp) SELECT DISTINCT r.tenant, 0 FROM resource r WHERE TRUE
ON CONFLICT (tenant) DO UPDATE SET stamp = 0;
