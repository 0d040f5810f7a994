"""The plain values that go into and come out of storage. All times are aware UTC."""
