"""Schema of intake."""
