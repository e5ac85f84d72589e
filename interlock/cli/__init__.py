"""The commands: thin around the library, one file a noun."""
