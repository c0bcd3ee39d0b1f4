"""Sources and deliveries: what a department sent, kept as it came, read, and offered to the other contexts as assertions."""
