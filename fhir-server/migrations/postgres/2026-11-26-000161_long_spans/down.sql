DROP INDEX span_of_start;
