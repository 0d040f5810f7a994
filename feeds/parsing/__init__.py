"""What feeds say: bytes to entries. Knows no network."""
