-- Whose data a Bundle, and what points at records without naming a patient, is: resources that an earlier release wrote get their rows
-- before the first answer.
INSERT INTO unindexed (tenant, stamp) SELECT DISTINCT r.tenant, 0 FROM resource r WHERE TRUE
    ON CONFLICT (tenant) DO UPDATE SET stamp = 0;
