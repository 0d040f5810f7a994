"""What sources say: asked politely, read in a child, judged, asked again in time."""
