DROP TABLE audit_waiting;
