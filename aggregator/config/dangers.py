"""What a configuration allows and an operator should not forget."""

from aggregator.config.settings import Settings


def dangers(settings: Settings) -> list[str]:
    """A line about each dangerous permission in force; said at every start and by ``check``."""
    return [
        f"{source.label}: TLS certificates are not verified (tls_verify = false), so that anybody "
        f"on the way to {source.url} can read and change what it says"
        for source in settings.source
        if source.enabled and not source.tls_verify
    ]
