-- Who did what, when, to what and about whom; and the seals that make a change of it show. Columns and numbers are those of the
-- SQLite schema. The triggers refuse what the server never does; an engine that distributes tables may do without them.

CREATE TABLE audit (
    tenant      bigint NOT NULL,
    stamp       bigint NOT NULL,
    action      smallint NOT NULL,
    outcome     smallint NOT NULL,
    interaction smallint NOT NULL,
    type        smallint NOT NULL,
    id          bytea NOT NULL,
    actor       text COLLATE "C" NOT NULL,
    record      bytea NOT NULL,
    PRIMARY KEY (tenant, stamp)
);
CREATE INDEX audit_of_resource ON audit (tenant, type, id, stamp) WHERE type > 0;

CREATE TABLE audit_patient (
    tenant  bigint NOT NULL,
    stamp   bigint NOT NULL,
    patient bytea NOT NULL,
    PRIMARY KEY (tenant, patient, stamp)
);
CREATE INDEX audit_patient_by_stamp ON audit_patient (tenant, stamp);

CREATE TABLE audit_seal (
    tenant bigint NOT NULL,
    number bigint NOT NULL,
    first  bigint NOT NULL,
    last   bigint NOT NULL,
    count  bigint NOT NULL,
    root   bytea NOT NULL,
    head   bytea NOT NULL,
    PRIMARY KEY (tenant, number)
);

CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'the audit trail is append-only'; END $$;
CREATE TRIGGER audit_keeps BEFORE UPDATE OR DELETE OR TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();
CREATE TRIGGER audit_patient_keeps BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_patient FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();
CREATE TRIGGER audit_seal_keeps BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_seal FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();
