"""What runs for as long as the process does, whatever it raises."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import structlog

AGAIN = 2.0
"""Seconds until what ended by an error is begun again."""
_log = structlog.get_logger()


async def lasting(
    name: str, run: Callable[[], Coroutine[Any, Any, None]], again: float = AGAIN
) -> None:
    """Run until it ends by itself or is cancelled; an error is logged, and it is begun again.

    A daemon whose part died in silence looks alive: so it does not, and says what it was.
    """
    while True:
        try:
            return await run()
        except Exception:  # noqa: BLE001 - whatever it was: the log has it, the work goes on
            _log.exception("work", outcome="crashed", work=name)
            await asyncio.sleep(again)
