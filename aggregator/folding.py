"""The fold stage: one writer, articles in order, every decision with its reason.

The matcher's index is memory only. Whenever memory might be ahead of the database (a commit
failed, a correction came) it is thrown away and rebuilt from there.
"""

from datetime import timedelta

BATCH = 200
PATIENCE = timedelta(seconds=60)
"""How long an article waits for those that arrived before it to be read."""
