"""HTTP as a client: the guarded, polite fetch. Knows no format."""
