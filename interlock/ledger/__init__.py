"""The append-only Merkle logs of all that happened to releases, and how anyone checks them. No network, no clock."""
