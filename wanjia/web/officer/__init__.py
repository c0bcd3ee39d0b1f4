"""Pages of the officer audience."""
