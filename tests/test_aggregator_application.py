from datetime import timedelta
from pathlib import Path

import pytest
from builders import NOW
from conftest import ONE_ENGINE
from fakes import FakeClock
from newsroom_runs import opened, settings_for

from aggregator.running.application import SLOTS_PER_REQUEST, ApplicationError, slots
from aggregator.stages.fold.identity import authority_of
from storage.sources import claim_due


@pytest.fixture
def engine_name() -> str:
    return ONE_ENGINE


async def test_a_database_that_cannot_be_opened_is_told(tmp_path: Path) -> None:
    with pytest.raises(ApplicationError, match="cannot open the database"):
        async with opened(settings_for(f"sqlite:///{tmp_path}/no/such.db", [])):
            pass


async def test_what_a_source_does_not_say_comes_from_its_address(database_url: str) -> None:
    sources: list[dict[str, object]] = [
        {"url": "https://feeds.bbc.co.uk/a"},
        {
            "url": "https://b.example/feed",
            "name": "B",
            "publisher": "P",
            "full_text": "always",
            "language": "de",
            "priority": 2,
        },
    ]
    settings = settings_for(database_url, sources, extract={"full_text": "never"})
    async with opened(settings, FakeClock()) as application:
        first, second = claim_due(application.ledger.database, NOW, NOW, 10)
    assert (first.name, first.publisher, first.full_text) == ("bbc.co.uk", "bbc.co.uk", "never")
    assert (second.name, second.publisher, second.full_text) == ("B", "P", "always")
    assert (second.language, second.priority) == ("de", 2)


async def test_the_installation_keeps_its_name_when_the_address_changes(database_url: str) -> None:
    clock = FakeClock()
    async with opened(settings_for(database_url, []), clock) as application:
        await application.publisher.refresh()
        first = application.publisher.document("feed", "atom")
    clock.move(timedelta(days=400))
    settings = settings_for(database_url, [], server={"base_url": "https://moved.example"})
    async with opened(settings, clock) as application:
        await application.publisher.refresh()
        second = application.publisher.document("feed", "atom")
    assert first is not None
    assert second is not None
    for document in (first, second):
        assert b"tag:news.example,2026-11-22:feed/feed" in document.body
    assert b"https://moved.example/feed.atom" in second.body


async def test_a_source_taken_out_of_the_configuration_is_not_polled(database_url: str) -> None:
    one: dict[str, object] = {"url": "https://a.example/"}
    async with opened(settings_for(database_url, [one])):
        pass
    async with opened(settings_for(database_url, [])) as application:
        assert await application.poller.claim(10) == ()


def test_there_are_more_slots_than_requests() -> None:
    settings = settings_for("sqlite:///", [], fetch={"concurrency": 7})
    assert slots(settings) == 7 * SLOTS_PER_REQUEST


@pytest.mark.parametrize(
    ("base_url", "authority"),
    [
        ("https://news.example:8443/x", "news.example"),
        ("http://[::1]:8080", "localhost"),
        ("http://", "localhost"),
    ],
)
def test_the_naming_authority(base_url: str, authority: str) -> None:
    assert authority_of(base_url) == authority
