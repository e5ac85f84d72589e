"""What measures a release: gates, one file each, with a core of plain numbers apart from what wraps it."""
