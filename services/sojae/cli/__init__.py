"""The `sojae` command."""
