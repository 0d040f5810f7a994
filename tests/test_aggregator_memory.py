"""Memory that was freed goes back to the system."""

import asyncio
import ctypes

from aggregator.running.memory import give_back, give_back_soon


def test_it_is_given_back_where_the_library_can() -> None:
    assert give_back() is hasattr(ctypes.CDLL(None), "malloc_trim")


async def test_the_loop_goes_on_meanwhile() -> None:
    give_back_soon()
    await asyncio.sleep(0)
