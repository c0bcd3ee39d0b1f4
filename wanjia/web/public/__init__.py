"""Pages that need no log-in, and those every account shares: log-in, settings, errors."""
