-- Rows of the audit trail that are not in the lists of their patients (audit_patient) yet: their ids, `/` before and after each, and how
-- many. A row is written here in sequence, with the row itself; the lists, which lie in another order, are brought up to it many rows at
-- once, and then it goes from here. The rows themselves say the same and stay.

CREATE TABLE audit_waiting (
    tenant   INTEGER NOT NULL,
    stamp    INTEGER NOT NULL,
    count    INTEGER NOT NULL,
    patients TEXT NOT NULL,
    PRIMARY KEY (tenant, stamp)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER audit_waiting_keeps_words BEFORE UPDATE ON audit_waiting BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END;
