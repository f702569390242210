"""Evidence: heatmaps, and whether they point at the right place."""
