"""Pages of the steward audience."""
