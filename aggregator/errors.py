"""What an operator must see to. Everything else is a value, or a bug."""


class ApplicationError(Exception):
    """Something stands in the way; the message says what, where and what to do."""
