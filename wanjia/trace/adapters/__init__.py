"""Files, keys and the network around the public log."""
