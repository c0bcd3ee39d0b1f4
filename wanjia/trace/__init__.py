"""Trace: the append-only record of every read and change."""
