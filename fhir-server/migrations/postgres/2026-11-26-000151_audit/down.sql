DROP TABLE audit_seal;
DROP TABLE audit_patient;
DROP TABLE audit;
DROP FUNCTION audit_is_append_only();
