-- Rows of truth values and codes now have the system that their elements imply, and canonical URLs are also kept with their version:
-- what is there already is to be indexed anew.
INSERT INTO unindexed (tenant, stamp) SELECT DISTINCT r.tenant, 0 FROM resource r WHERE TRUE
ON CONFLICT (tenant) DO UPDATE SET stamp = 0;
