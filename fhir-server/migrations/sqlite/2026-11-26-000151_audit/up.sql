-- Who did what, when, to what and about whom; and the seals that make a change of it show.
--
-- audit: one row for each interaction; `stamp` is of the same generator as the stamps of changes. action: 1 create, 2 read,
-- 3 update, 4 delete, 5 execute; outcome: 0 success, 4 refused, 8 failed, 12 the server failed; interaction: its number in the
-- code; type and id: the resource (0 and empty: none, or none alone); record: the rest as JSON, patients included.
-- audit_patient: the rows of a patient, by the packed id. audit_seal: one row for each batch of rows, see `audit::chain`.
-- Nothing here is ever changed or removed by the server, and the triggers refuse it to all others.

CREATE TABLE audit (
    stamp       INTEGER NOT NULL PRIMARY KEY,
    tenant      INTEGER NOT NULL,
    action      INTEGER NOT NULL,
    outcome     INTEGER NOT NULL,
    interaction INTEGER NOT NULL,
    type        INTEGER NOT NULL,
    id          BLOB NOT NULL,
    actor       TEXT NOT NULL,
    record      BLOB NOT NULL
) STRICT;
CREATE INDEX audit_of_tenant ON audit (tenant);
CREATE INDEX audit_of_resource ON audit (tenant, type, id) WHERE type > 0;

CREATE TABLE audit_patient (
    tenant  INTEGER NOT NULL,
    stamp   INTEGER NOT NULL,
    patient BLOB NOT NULL,
    PRIMARY KEY (tenant, patient, stamp)
) STRICT, WITHOUT ROWID;
CREATE INDEX audit_patient_by_stamp ON audit_patient (tenant, stamp);

CREATE TABLE audit_seal (
    tenant INTEGER NOT NULL,
    number INTEGER NOT NULL,
    first  INTEGER NOT NULL,
    last   INTEGER NOT NULL,
    count  INTEGER NOT NULL,
    root   BLOB NOT NULL,
    head   BLOB NOT NULL,
    PRIMARY KEY (tenant, number)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER audit_keeps_rows BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;
CREATE TRIGGER audit_keeps_words BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;
CREATE TRIGGER audit_patient_keeps_rows BEFORE DELETE ON audit_patient BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;
CREATE TRIGGER audit_patient_keeps_words BEFORE UPDATE ON audit_patient BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;
CREATE TRIGGER audit_seal_keeps_rows BEFORE DELETE ON audit_seal BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;
CREATE TRIGGER audit_seal_keeps_words BEFORE UPDATE ON audit_seal BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;
