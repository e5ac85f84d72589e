"""The two layers of a stack: `foundation`, and `platform` with a module for each of its concerns."""
