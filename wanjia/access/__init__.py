"""Accounts, roles and rights: who may do what, over which area."""
