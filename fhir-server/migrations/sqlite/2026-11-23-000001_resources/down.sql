DROP TABLE claim;
DROP TABLE history;
DROP TABLE resource;
DROP TABLE node;
DROP TABLE server;
PRAGMA application_id = 0;
