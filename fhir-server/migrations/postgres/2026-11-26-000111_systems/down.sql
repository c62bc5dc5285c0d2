-- Rows without those systems.
INSERT INTO unindexed (tenant, stamp) SELECT DISTINCT r.tenant, 0 FROM resource r WHERE TRUE
ON CONFLICT (tenant) DO UPDATE SET stamp = 0;
