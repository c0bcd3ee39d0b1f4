"""Decisions of linking as pure functions: what a weight is worth, where a link begins, which clusters hold together."""
