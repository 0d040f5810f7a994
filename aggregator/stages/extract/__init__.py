"""What articles say: their pages where those are worth it, the better text kept."""
