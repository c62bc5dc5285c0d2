-- When definitions last changed: of CodeSystem (22), ConceptMap (27), SearchParameter (123), StructureDefinition (128) and ValueSet (144)
-- the stamp of the newest change, set by the transaction that makes it; and what the server notes about them.

CREATE TABLE epoch (
    tenant bigint NOT NULL,
    type   smallint NOT NULL,
    stamp  bigint NOT NULL,
    note   bytea,
    PRIMARY KEY (tenant, type)
);
INSERT INTO epoch (tenant, type, stamp)
    SELECT r.tenant, r.type, max(r.stamp) FROM resource r WHERE r.type IN (22, 27, 123, 128, 144) GROUP BY r.tenant, r.type;
