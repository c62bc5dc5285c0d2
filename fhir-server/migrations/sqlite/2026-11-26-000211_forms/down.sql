DELETE FROM epoch WHERE type = 112;
