"""What everything stands on: errors, files, digests, units, seeds, progress."""
