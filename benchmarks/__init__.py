"""Side-by-side measurements, each a ratio to what a user would otherwise pick. Nothing here is a test."""
