"""Metrics, intervals by patient, thresholds and calibration: numpy alone."""
