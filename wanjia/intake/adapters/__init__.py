"""Where intake meets the outside: file formats, databases. Every reader gives the same text rows (see rows.py)."""
