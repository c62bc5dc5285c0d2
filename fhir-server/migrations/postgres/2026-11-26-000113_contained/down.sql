DELETE FROM label WHERE resource IN (SELECT c.surrogate FROM contained c);
DELETE FROM span WHERE resource IN (SELECT c.surrogate FROM contained c);
DELETE FROM place WHERE resource IN (SELECT c.surrogate FROM contained c);
DROP TABLE contained;
