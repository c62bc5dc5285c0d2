ALTER TABLE tenant DROP COLUMN forgotten;
