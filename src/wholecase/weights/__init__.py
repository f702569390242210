"""Local weight files: key layouts, matched share, sidecar."""
