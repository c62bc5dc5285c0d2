-- Whose a claim is, and what that owner's claims of the kind had used up with it, as in the SQLite schema.

ALTER TABLE claim ADD COLUMN owner bytea;
ALTER TABLE claim ADD COLUMN used bigint;
CREATE INDEX claim_owner ON claim (tenant, kind, owner, used) WHERE owner IS NOT NULL;
