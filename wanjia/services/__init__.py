"""What residents are told about their own record (README)."""
