-- Contained resources, whose rows are those of their own surrogates. id: packed, as that of a resource. fragment: how a reference within
-- the container names it.
CREATE TABLE contained (
    surrogate INTEGER NOT NULL PRIMARY KEY,
    tenant    INTEGER NOT NULL,
    container INTEGER NOT NULL,
    type      INTEGER NOT NULL,
    id        BLOB NOT NULL,
    fragment  BLOB NOT NULL
) STRICT;
CREATE INDEX contained_in ON contained (tenant, container);
CREATE INDEX contained_key ON contained (tenant, type, id);
INSERT INTO unindexed (tenant, stamp) SELECT DISTINCT r.tenant, 0 FROM resource r WHERE TRUE
ON CONFLICT (tenant) DO UPDATE SET stamp = 0;
