"""Words from one process to the others."""

import asyncio

import pytest
from conftest import terminate_backends

from storage.database import Database, StorageTroubleError
from storage.wakeups import listen, tell


@pytest.fixture
def engine_name() -> str:
    return "postgresql"


async def test_what_is_told_is_heard(database: Database) -> None:
    heard = listen(database)
    async with asyncio.timeout(10):
        assert await anext(heard) == "", "it hears from now on"
        await asyncio.to_thread(tell, database, ["fold", "extract"])
        assert [await anext(heard), await anext(heard)] == ["extract", "fold"]
    await heard.aclose()  # type: ignore[attr-defined]  # it is a generator


async def test_a_lost_connection_is_told(database: Database) -> None:
    heard = listen(database)
    async with asyncio.timeout(10):
        await anext(heard)
        waiting = asyncio.ensure_future(anext(heard))
        await asyncio.sleep(0)
        await asyncio.to_thread(terminate_backends, database)
        with pytest.raises(StorageTroubleError, match="cannot listen"):
            await waiting
