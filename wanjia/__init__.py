"""Wanjia: one authoritative register of people and households."""

__version__ = "0.1.0"
