"""The door of linking."""
