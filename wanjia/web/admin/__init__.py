"""Pages of the administrators: they see no person."""
