-- Rows that say whose data a resource is (parameters 720000 to 720023 of `label`): resources that an earlier release wrote get theirs,
-- with all their rows, before the first answer.
INSERT INTO unindexed (tenant, stamp) SELECT DISTINCT r.tenant, 0 FROM resource r WHERE TRUE
    ON CONFLICT (tenant) DO UPDATE SET stamp = 0;
