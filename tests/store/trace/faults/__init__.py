"""Faults done to a running installation: kills, a full disk, failing system calls."""
