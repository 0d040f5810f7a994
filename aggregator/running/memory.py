"""Memory that was freed, given back to the system.

glibc keeps what each thread frees for that thread's next wish; parts of documents and of numpy's
arrays then add up to hundreds of megabytes that nobody uses (malloc_trim(3)). Elsewhere, as with
musl, there is nothing to do.
"""

import asyncio
import ctypes

PAUSE = 300.0
"""Seconds between two times. It takes some milliseconds, in a thread of its own."""


def give_back() -> bool:
    """Give back what is free; whether this system's library can."""
    try:
        trim = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):
        return False
    trim(0)
    return True


def give_back_soon() -> None:
    """The same from the event loop, which goes on meanwhile."""
    asyncio.get_running_loop().run_in_executor(None, give_back)
