"""A site as files: complete, and touched only where it changed."""

import hashlib
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from builders import add_articles, add_source, as_write, fold, read_articles, story_write
from conftest import ONE_ENGINE
from fakes import FakeClock
from newsroom_runs import opened, settings_for

from aggregator.operating.static_files import LIST, Written, write_site
from aggregator.running.application import Application, ApplicationError
from storage.folding import stories_of

TOKEN = "0123456789abcdef-token"
STORIES = 45


@pytest.fixture
def engine_name() -> str:
    return ONE_ENGINE


@pytest.fixture
async def application(database_url: str) -> AsyncIterator[Application]:
    outputs = [{"name": "world"}, {"name": "full", "content": "full", "token": TOKEN}]
    sources: list[dict[str, object]] = [{"url": "https://times.example/feed.xml", "name": "Times"}]
    settings = settings_for(database_url, sources, output=outputs)
    async with opened(settings, FakeClock()) as application:
        database = application.ledger.database
        source = add_source(database)
        ids = add_articles(database, source.id, *(f"g{number}" for number in range(STORIES)))
        read_articles(database, *ids)
        fold(database, *(story_write(key, article_id) for key, article_id in enumerate(ids)))
        await application.publisher.refresh()
        yield application


def files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


async def test_every_page_that_is_linked_is_there(application: Application, tmp_path: Path) -> None:
    folder = tmp_path / "site"
    site = await write_site(application, folder)
    found = files(folder)
    assert site == Written(len(found) - 1, 0, 0), "all but the list itself"
    for body in found.values():
        for path in re.findall(rb"https://news\.example/([^\"'<>?&\\ ]*)", body):
            name = path.decode()
            assert name in found or f"{name}/index.html".lstrip("/") in found, name
    assert len([name for name in found if re.fullmatch("story/[^/]+/index.html", name)]) == STORIES
    assert len([name for name in found if name.endswith(".atom")]) == STORIES + 2


async def test_guarded_outputs_are_not_written(application: Application, tmp_path: Path) -> None:
    await write_site(application, tmp_path)
    found = files(tmp_path)
    assert not [name for name in found if name.startswith("full")]
    assert not any(TOKEN.encode() in body for body in found.values())


async def test_only_what_changed_is_written_and_whole(
    application: Application, tmp_path: Path
) -> None:
    folder = tmp_path / "site"
    await write_site(application, folder)
    (folder / "index.html").write_bytes(b"half")
    (folder / "story" / "story-7" / "index.html").unlink()
    count = len(files(folder)) + 1
    assert await write_site(application, folder) == Written(2, count - 3, 0)
    assert not list(folder.rglob("*.new"))
    assert len(stories_of(application.ledger.database, range(STORIES), [])) == STORIES


async def test_a_folder_that_cannot_be_written_is_told(
    application: Application, tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ApplicationError, match=r"cannot write .*file/[a-z/.]+: "):
        await write_site(application, tmp_path / "file")


async def test_what_is_no_longer_published_is_removed_and_nothing_else(
    application: Application, tmp_path: Path
) -> None:
    folder = tmp_path / "site"
    await write_site(application, folder)
    (folder / "robots.txt").write_text("mine")
    listed = json.loads((folder / LIST).read_bytes())
    digest = hashlib.sha256(b"old").hexdigest()
    stale = ("gone.atom", "gone/2.atom", "story/gone/index.html", "changed.atom", "../outside")
    for name in stale:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"old")
        listed[name] = digest
    listed["never/there.atom"] = digest
    (folder / "changed.atom").write_bytes(b"by somebody")
    (folder / LIST).write_text(json.dumps(listed))
    site = await write_site(application, folder)
    assert (site.written, site.removed) == (0, 3)
    assert not (folder / "gone").exists()
    assert not (folder / "story" / "gone").exists()
    for name in ("robots.txt", "changed.atom", "../outside", "world.atom"):
        assert (folder / name).exists(), name
    assert await write_site(application, folder) == Written(0, site.same, 0)


async def test_a_list_that_cannot_be_read_is_told(application: Application, tmp_path: Path) -> None:
    (tmp_path / LIST).write_bytes(b"{")
    with pytest.raises(ApplicationError, match=r"cannot read .*\.newsfold\.json, the list of"):
        await write_site(application, tmp_path)


async def test_archives_and_pages_are_written_and_a_merged_story_stays_reachable(
    database_url: str, tmp_path: Path
) -> None:
    outputs = [{"name": "world", "limit": 6, "max_bytes": 10_000}]
    sources: list[dict[str, object]] = [{"url": "https://times.example/feed.xml", "name": "Times"}]
    settings = settings_for(database_url, sources, output=outputs)
    async with opened(settings, FakeClock()) as application:
        database = application.ledger.database
        source = add_source(database)
        ids = add_articles(database, source.id, *(f"g{number}" for number in range(STORIES)))
        read_articles(database, *ids)
        fold(database, *(story_write(key, article_id) for key, article_id in enumerate(ids)))
        await application.publisher.refresh()
        await write_site(application, tmp_path)
        before = files(tmp_path)
        closed = application.publisher.progress("world").archives
        assert closed > 5
        for form in ("atom", "rss", "json"):
            assert f"world/2.{form}" in before
            assert f"world/archive/1.{form}" in before
            following = before[f"world/archive/{closed + 1}.{form}"]
            assert following == before[f"world.{form}"], "until it is closed"
        one, two = stories_of(database, [0, 44], [])
        members = (one.members[0].id, two.members[0].id)
        fold(database, as_write(one, members=members), retired={two.id: 0})
        await application.publisher.refresh()
        await write_site(application, tmp_path)
        after = files(tmp_path)
        assert after["story/story-44/index.html"] == after["story/story-0/index.html"]
        assert "story/story-44.atom" not in after
        for name, body in before.items():
            if "archive" in name and f"/{closed + 1}." not in name:
                assert after[name] == body
