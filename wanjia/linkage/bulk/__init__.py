"""Relational expressions of linking: features, nodes, candidate pairs, scores."""
