"""Oversight: unusual reads by staff, incidents, and whether everybody still needs what they may do."""
