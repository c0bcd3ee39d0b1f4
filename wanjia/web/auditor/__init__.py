"""Pages of the auditor audience."""
