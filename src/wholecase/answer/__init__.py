"""A run's models and new cases -> predictions."""
