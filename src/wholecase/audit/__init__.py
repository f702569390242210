"""Look at a cohort before anything is computed."""
