"""Scans every policy document of ours with Parliament and Cloudsplaining, and holds each finding to a dated reason."""
