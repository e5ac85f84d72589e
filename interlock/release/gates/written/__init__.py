"""What people wrote about a release."""
