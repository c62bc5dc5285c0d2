DROP TABLE unindexed;
DROP TABLE place;
DROP TABLE span;
DROP TABLE label;
DROP TABLE term;
