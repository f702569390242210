"""Worker processes: one a core, one thread each."""
