"""Which articles are one story, under which lasting identity, and for how long."""
