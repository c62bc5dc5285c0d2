-- Full text, where it is kept: words of resources beside each other. section: 0 narrative, 1 all else. part: which of its section's.
-- digest: what tells the words from others. passage_words: those words, of the passage with the number that is their rowid; they are
-- cut and folded before they come here, and the tokenizer takes them as they are.
CREATE TABLE passage (
    number   INTEGER NOT NULL PRIMARY KEY,
    tenant   INTEGER NOT NULL,
    resource INTEGER NOT NULL,
    section  INTEGER NOT NULL,
    part     INTEGER NOT NULL,
    digest   BLOB NOT NULL
) STRICT;
CREATE INDEX passage_of_resource ON passage (tenant, resource);
CREATE VIRTUAL TABLE passage_words USING fts5 (words, content = '', contentless_delete = 1, tokenize = 'ascii');

-- A row where full text is kept of all resources.
CREATE TABLE full_text (kept INTEGER NOT NULL PRIMARY KEY) STRICT;
