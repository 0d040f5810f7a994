"""The four stages, poll, extract, fold and publish, and the decisions they take."""
