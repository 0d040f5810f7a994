"""What outputs hold, in which order, as bytes ready to send."""
