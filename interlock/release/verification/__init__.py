"""Verification: every reason why a release may not be admitted, or not be loaded. No network, no clock of its own."""
