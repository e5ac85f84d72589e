"""The trust root: which keys are believed, for what and from when to when, and how that may change."""
