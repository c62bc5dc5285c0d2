DROP TABLE claim;
DROP TABLE history;
DROP TABLE resource;
DROP TABLE tenant;
DROP TABLE node;
DROP TABLE server;
