"""Decisions about what residents are told (pure)."""
