DROP TABLE audit_seal;
DROP TABLE audit_patient;
DROP TABLE audit;
