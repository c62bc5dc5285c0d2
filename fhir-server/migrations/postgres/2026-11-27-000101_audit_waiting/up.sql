-- Rows of the audit trail that are not in the lists of their patients yet, as in the SQLite schema.

CREATE TABLE audit_waiting (
    tenant   bigint NOT NULL,
    stamp    bigint NOT NULL,
    count    bigint NOT NULL,
    patients text COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, stamp)
);

CREATE TRIGGER audit_waiting_keeps BEFORE UPDATE ON audit_waiting FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();
