"""Register: persons, households and what is known of them, computed from what the sources say."""
