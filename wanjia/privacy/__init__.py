"""Privacy: the vault in which identity is kept apart, and the masks over what leaves it."""
