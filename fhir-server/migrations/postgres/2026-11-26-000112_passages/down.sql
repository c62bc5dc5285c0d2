DROP TABLE full_text;
DROP TABLE passage;
