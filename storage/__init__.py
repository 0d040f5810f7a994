"""What is remembered: tables, migrations and queries.

SQLModel and database rows never leave this package; plain values do. Knows no network.
"""
