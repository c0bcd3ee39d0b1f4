"""Addresses for machines of departments: pushing records. Refusals are problem details (RFC 9457)."""
