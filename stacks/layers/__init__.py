"""The two layers of a stack, one module each."""
