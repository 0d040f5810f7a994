"""Which articles tell the same event: a pure, streaming matcher and what trains and measures it.

Knows no database, no network and no clock. ``matcher.Matcher`` is the way in; docs/folding.md says
how it decides and what each part of it was measured to be worth.
"""
