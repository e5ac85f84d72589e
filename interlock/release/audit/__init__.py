"""The audit of a release: one bundle that holds its whole record, and the one file that checks it anywhere."""
