-- The resources, their earlier versions, claims, and the server's own facts.
--
-- Every key and index starts with the tenant. The rowids `surrogate` and `stamp` are SQLite's own addresses of rows;
-- SQLite appends them to each index entry, so an index on (tenant, type) of `history` is one on (tenant, type, stamp).
-- Numbers: type: the place among R4's types by name, from 1; change: 0 create, 1 update, 2 delete;
-- surrogate and stamp: 41 bits of milliseconds, 10 of a node, 12 of a count; id: 16 bytes for a canonical UUID,
-- otherwise its ASCII text; encoding: how `body` is packed; stamp_at and stamp_form: where the version stamp goes.

PRAGMA application_id = 1178093906; -- "F8IR": a file of this server

CREATE TABLE server (
    name  TEXT NOT NULL PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE node (
    number    INTEGER NOT NULL PRIMARY KEY,
    holder    TEXT NOT NULL,
    leased_at INTEGER NOT NULL
) STRICT;

CREATE TABLE resource (
    surrogate  INTEGER NOT NULL PRIMARY KEY,
    tenant     INTEGER NOT NULL,
    bucket     INTEGER NOT NULL DEFAULT 0,
    type       INTEGER NOT NULL,
    id         BLOB NOT NULL,
    version    INTEGER NOT NULL,
    stamp      INTEGER NOT NULL,
    change     INTEGER NOT NULL,
    encoding   INTEGER NOT NULL,
    stamp_at   INTEGER NOT NULL,
    stamp_form INTEGER NOT NULL,
    body       BLOB
) STRICT;
CREATE UNIQUE INDEX resource_key ON resource (tenant, type, id);
CREATE INDEX resource_of_type ON resource (tenant, type, stamp, change);
CREATE INDEX resource_of_tenant ON resource (tenant, stamp, change);

-- Versions that were followed by another; `until` is the stamp of the one that followed.
CREATE TABLE history (
    stamp      INTEGER NOT NULL PRIMARY KEY,
    tenant     INTEGER NOT NULL,
    bucket     INTEGER NOT NULL DEFAULT 0,
    type       INTEGER NOT NULL,
    resource   INTEGER NOT NULL,
    version    INTEGER NOT NULL,
    until      INTEGER NOT NULL,
    change     INTEGER NOT NULL,
    encoding   INTEGER NOT NULL,
    stamp_at   INTEGER NOT NULL,
    stamp_form INTEGER NOT NULL,
    body       BLOB
) STRICT;
CREATE UNIQUE INDEX history_of_resource ON history (tenant, resource, version);
CREATE INDEX history_of_type ON history (tenant, type);
CREATE INDEX history_of_tenant ON history (tenant);

CREATE TABLE claim (
    tenant  INTEGER NOT NULL,
    kind    TEXT NOT NULL,
    key     BLOB NOT NULL,
    expires INTEGER,
    payload BLOB NOT NULL,
    PRIMARY KEY (tenant, kind, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX claim_expiry ON claim (tenant, expires) WHERE expires IS NOT NULL;
