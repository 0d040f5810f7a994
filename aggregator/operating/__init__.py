"""What an operator asks of an installation. Works on the database, beside a running daemon."""
