-- Whose a claim is, where claims of one owner are bounded together, and what that owner's claims of the kind had used up with it:
-- a sum that rises with each, so that the oldest beyond a bound are a range of the index.

ALTER TABLE claim ADD COLUMN owner BLOB;
ALTER TABLE claim ADD COLUMN used INTEGER;
CREATE INDEX claim_owner ON claim (tenant, kind, owner, used) WHERE owner IS NOT NULL;
