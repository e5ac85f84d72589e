"""The passport: a release's whole record as one document, for whoever approves it. No network, no clock."""
