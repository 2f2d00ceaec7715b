"""Institutes, furnaces and testers played by known laws, with planted faults."""
