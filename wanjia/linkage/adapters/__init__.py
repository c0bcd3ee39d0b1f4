"""The outside world of linking: SQL engines and the Splink model."""
