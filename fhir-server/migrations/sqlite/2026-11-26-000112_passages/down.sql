DROP TABLE full_text;
DROP TABLE passage_words;
DROP TABLE passage;
