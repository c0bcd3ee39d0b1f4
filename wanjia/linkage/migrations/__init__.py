"""Migrations of the linkage tables."""
