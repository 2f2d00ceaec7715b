"""Follows plants live: windows over telemetry, batches, alarms, and the forecast of a running batch."""
