"""The steps of creator and builder that need several services at once: submit, pin, check."""
