"""What can be told of a release's files without running, unpacking or importing any of them."""
