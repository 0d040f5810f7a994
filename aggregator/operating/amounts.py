"""Times and sizes as people say them on the command line. Pure."""

from datetime import datetime, timedelta

from aggregator.config.durations import format_duration


def about(duration: timedelta) -> str:
    """About how long: the two largest units, whole seconds."""
    whole = timedelta(seconds=round(duration.total_seconds()))
    return " ".join(format_duration(whole).split()[:2])


def ago(moment: datetime, now: datetime) -> str:
    """How long before ``now``; what lies ahead of it is no time ago."""
    return f"{about(max(now - moment, timedelta(0)))} ago"


def size(number: int) -> str:
    """Bytes in the largest unit (of a thousand) that leaves something before the point."""
    amount, unit = number / 1000, "kB"
    for larger in ("MB", "GB", "TB"):
        if amount < 1000:
            break
        amount, unit = amount / 1000, larger
    return f"{amount:.1f} {unit}"
