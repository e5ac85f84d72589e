"""What a release is: its files, the statements about it and the signatures below them. No network, no clock."""
