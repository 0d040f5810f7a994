"""The wire: what comes in and goes out over HTTP, and its formats.

Knows no database and no schedule. What leaves this package are the frozen values of
:mod:`feeds.model`.
"""
