"""Decisions about documents (pure)."""
