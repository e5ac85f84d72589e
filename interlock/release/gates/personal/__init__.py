"""What tells of people: recognised in the texts of a release, and in the names of its columns."""
