"""Pure rules of materials data: no I/O, no framework."""
