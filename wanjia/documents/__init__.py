"""Documents that the registry issues: made once, kept as they were, checked by anybody."""
