"""Scans what the program registers with Checkov, and holds every finding to a dated reason."""
