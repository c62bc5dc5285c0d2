-- The resources, their earlier versions, claims, and the server's own facts.
--
-- Every key and index begins with the tenant; `bucket` is there to distribute a large tenant. No sequence, no trigger, no
-- rule. Numbers are those of the SQLite schema: type: the place among R4's types by name, from 1; change: 0 create,
-- 1 update, 2 delete; surrogate and stamp: 41 bits of milliseconds, 10 of a node, 12 of a count; id: 16 bytes for a
-- canonical UUID, otherwise its ASCII text; encoding: how `body` is packed; stamp_at and stamp_form: where the version
-- stamp goes. Bodies come packed, so that PostgreSQL need not try.

CREATE TABLE server (
    name  text COLLATE "C" NOT NULL PRIMARY KEY,
    value bytea NOT NULL
);

-- Which process has which node number, and until when (milliseconds since 1970, by this database's clock).
CREATE TABLE node (
    number       smallint NOT NULL PRIMARY KEY,
    holder       text COLLATE "C" NOT NULL,
    leased_until bigint NOT NULL
);

-- The last stamp of each tenant. Whoever writes for the tenant holds its row until the commit.
CREATE TABLE tenant (
    tenant bigint NOT NULL PRIMARY KEY,
    stamp  bigint NOT NULL
) WITH (fillfactor = 10);

CREATE TABLE resource (
    tenant     bigint NOT NULL,
    surrogate  bigint NOT NULL,
    stamp      bigint NOT NULL,
    version    bigint NOT NULL,
    stamp_at   bigint NOT NULL,
    type       smallint NOT NULL,
    bucket     smallint NOT NULL DEFAULT 0,
    change     smallint NOT NULL,
    encoding   smallint NOT NULL,
    stamp_form smallint NOT NULL,
    id         bytea NOT NULL,
    body       bytea,
    PRIMARY KEY (tenant, surrogate)
);
ALTER TABLE resource ALTER COLUMN body SET STORAGE EXTERNAL;
CREATE INDEX resource_of_type ON resource (tenant, type, stamp, change);
CREATE INDEX resource_of_tenant ON resource (tenant, stamp, change);
-- Last: of indexes that seem equally cheap, as all do before the first ANALYZE, the planner takes the youngest.
CREATE UNIQUE INDEX resource_key ON resource (tenant, type, id);

-- Versions that were followed by another; `until` is the stamp of the one that followed.
CREATE TABLE history (
    tenant     bigint NOT NULL,
    stamp      bigint NOT NULL,
    resource   bigint NOT NULL,
    version    bigint NOT NULL,
    until      bigint NOT NULL,
    stamp_at   bigint NOT NULL,
    type       smallint NOT NULL,
    bucket     smallint NOT NULL DEFAULT 0,
    change     smallint NOT NULL,
    encoding   smallint NOT NULL,
    stamp_form smallint NOT NULL,
    body       bytea,
    PRIMARY KEY (tenant, stamp)
);
ALTER TABLE history ALTER COLUMN body SET STORAGE EXTERNAL;
CREATE UNIQUE INDEX history_of_resource ON history (tenant, resource, version);
CREATE INDEX history_of_type ON history (tenant, type, stamp);

CREATE TABLE claim (
    tenant  bigint NOT NULL,
    kind    text COLLATE "C" NOT NULL,
    key     bytea NOT NULL,
    expires bigint,
    payload bytea NOT NULL,
    PRIMARY KEY (tenant, kind, key)
);
CREATE INDEX claim_expiry ON claim (tenant, expires) WHERE expires IS NOT NULL;
