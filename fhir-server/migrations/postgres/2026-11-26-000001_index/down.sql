DROP TABLE unindexed;
