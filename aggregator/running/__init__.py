"""A process that runs: which stages, on what clock, beside which neighbours, behind which door."""
