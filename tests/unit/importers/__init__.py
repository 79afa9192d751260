"""Files of loggers: read by their own evidence, or refused."""
