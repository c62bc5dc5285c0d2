-- Under which stamp terms were last taken away: who remembers numbers of terms from before looks them up again.
ALTER TABLE tenant ADD COLUMN forgotten bigint NOT NULL DEFAULT 0;
