"""One law and one set of draws for each project that can be simulated."""
