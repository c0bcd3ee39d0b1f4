"""Resolving as relational expressions: who won (survivors), what follows from it (facts, relations), what contradicts (checks)."""
