"""Everything on one machine: the development broker and `sojae up`."""
