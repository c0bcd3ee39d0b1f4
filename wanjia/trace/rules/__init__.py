"""The trace's decisions as pure functions: what may stand in an entry, and the mathematics and formats of the public log."""
