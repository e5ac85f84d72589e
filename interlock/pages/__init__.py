"""Pages for people: HTML and SVG from plain data, in one file that needs nothing else. No network, no clock."""
