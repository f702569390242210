"""Pool instances into the embedding of a case."""
