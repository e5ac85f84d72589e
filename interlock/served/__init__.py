"""A model served over HTTP as in production, inside the sandbox's confinement, for its time to be taken."""
