"""What programs ask, below ``/api``: read-only JSON, described by an OpenAPI document."""
