"""Keys: their life from making to destruction, and the certificates that say what is gone."""
