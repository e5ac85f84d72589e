"""The adapters that talk to AWS: one small client a concern."""
