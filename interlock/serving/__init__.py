"""What runs in the serving container: takes a release in, verifies, loads and serves it. No network, no credentials."""
