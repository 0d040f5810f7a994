"""Three days of the demonstration newsroom, read all the time by three feed readers.

Nothing that a subscriber has read comes back as new, and nothing is missed, whatever happens in
between: restarts, an outlet that comes late, an operator's join and split, a refold, another
configuration, archives closed, stories that become one and part again.
"""

import asyncio
import shutil
import socket
import sqlite3
import subprocess
import urllib.request
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

import feedparser
import pytest
from newsroom_runs import Stage, all_stories, newsroom_settings, opened, serve
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from aggregator.config.settings import Settings
from aggregator.newsroom import load_newsroom, newsroom_app
from aggregator.operating.correcting import join_stories, refold_since, split_story
from aggregator.operating.passes import full_pass
from aggregator.running.application import Application
from aggregator.running.server import bind, serving
from aggregator.web.app import Site, create_app
from storage.values.publish import StoryView

NEWSROOM = load_newsroom()
BEGIN = datetime(2023, 4, 17, 6, tzinfo=UTC)
STEP = timedelta(hours=6)
STEPS = 16
LATE = "northgate-courier"
NEWSBOAT = shutil.which("newsboat")

Item = tuple[str, str]
"""The id of an item, and the address it links: that of the story's lead."""


@dataclass
class Shown:
    """What one client has shown of one feed; everything it shows is read at once."""

    links: dict[str, set[str]] = field(default_factory=dict)
    twice: list[str] = field(default_factory=list)

    def unread(self, items: Iterable[Item]) -> None:
        """Take what the client calls unread, and what of it a person has read before."""
        for id_, link in items:
            if id_ in self.links:
                self.twice.append(f"{id_} is unread again")
            elif told := [other for other, links in self.links.items() if link in links]:
                self.twice.append(f"{link} is new as {id_}, was read as {told}")
            self.links.setdefault(id_, set()).add(link)

    def again(self, items: Iterable[Item]) -> None:
        """Take what the client knows and calls read: it may link another address by now."""
        for id_, link in items:
            self.links.setdefault(id_, set()).add(link)


def test_what_is_shown_twice_is_counted() -> None:
    shown = Shown()
    shown.unread([("a", "x"), ("b", "y")])
    shown.again([("a", "z")])
    assert shown.twice == []
    shown.unread([("a", "x")])
    shown.unread([("c", "z")])
    assert len(shown.twice) == 2


class Client(Protocol):
    """A feed reader. ``shown`` has what it showed of every address it subscribed to."""

    shown: dict[str, Shown]

    def poll(self) -> None: ...


class Feedparser:
    """A reader of twenty lines: what has an id it has not seen is new."""

    def __init__(self, urls: list[str], _: Path) -> None:
        self.shown = {url: Shown() for url in urls if not url.endswith(".json")}

    def poll(self) -> None:
        for url, shown in self.shown.items():
            with urllib.request.urlopen(url, timeout=30) as response:
                parsed = feedparser.parse(response.read())
            assert not parsed.bozo
            items = [(entry.id, entry.link) for entry in parsed.entries]
            assert len({id_ for id_, _ in items}) == len(items), "one item for each story"
            known = set(shown.links)
            shown.unread(item for item in items if item[0] not in known)
            shown.again(item for item in items if item[0] in known)


class Reader:
    """lemon24's reader, its database kept from poll to poll."""

    def __init__(self, urls: list[str], folder: Path) -> None:
        self.shown = {url: Shown() for url in urls}
        self._database = str(folder / "reader.db")

    def poll(self) -> None:
        from reader import make_reader

        with closing(make_reader(self._database)) as reader:
            for url in self.shown:
                reader.add_feed(url, exist_ok=True)
            for result in reader.update_feeds_iter(scheduled=False):
                assert not isinstance(result.value, Exception), result
            for url, shown in self.shown.items():
                entries = list(reader.get_entries(feed=url))
                shown.again((e.id, e.link or "") for e in entries if e.read)
                shown.unread((e.id, e.link or "") for e in entries if not e.read)
            for entry in list(reader.get_entries(read=False)):
                reader.mark_entry_as_read(entry)


class Newsboat:
    """newsboat, reloading in batch; its cache is what it shows.

    One for each address: a cache has one place for an id, whatever feeds it stands in.
    """

    def __init__(self, urls: list[str], folder: Path) -> None:
        self.shown = {url: Shown() for url in urls if not url.endswith(".json")}
        self._folders = {url: folder / url.rpartition(".")[2] for url in self.shown}
        for url, own in self._folders.items():
            own.mkdir()
            (own / "urls").write_text(f"{url}\n")
            (own / "config").touch()

    def poll(self) -> None:
        for url, folder in self._folders.items():
            subprocess.run(
                [NEWSBOAT or "", "-x", "reload", "-u", "urls", "-c", "cache.db", "-C", "config"],
                cwd=folder,
                env={"HOME": str(folder), "TERM": "dumb", "LANG": "C.UTF-8"},
                check=True,
                timeout=120,
            )
            with closing(sqlite3.connect(folder / "cache.db")) as cache:
                rows = cache.execute("select guid, url, unread from rss_item").fetchall()
                cache.execute("update rss_item set unread = 0")
                cache.commit()
            self.shown[url].again((guid, link) for guid, link, unread in rows if not unread)
            self.shown[url].unread((guid, link) for guid, link, unread in rows if unread)


def why_not(client: str) -> str:
    if client == "newsboat" and NEWSBOAT is None:
        return "newsboat is not installed"
    if client == "reader" and not all(find_spec(name) for name in ("reader", "sgmllib")):
        return "reader (with sgmllib3k) is not installed"
    return ""


MAKERS: dict[str, Callable[[list[str], Path], Client]] = {
    "feedparser": Feedparser,
    "reader": Reader,
    "newsboat": Newsboat,
}


@dataclass
class Replay:
    """The days as they went: what each client showed, and what there was in the end."""

    clients: dict[str, Client]
    living: set[str] = field(default_factory=set)
    ended: set[str] = field(default_factory=set)
    revived: set[str] = field(default_factory=set)
    archives: int = 0
    refolded: str = ""

    def see(self, stories: tuple[StoryView, ...]) -> None:
        uris = {story.uri for story in stories}
        self.revived |= uris & self.ended
        self.ended = (self.ended | self.living) - uris
        self.living = uris


class Away:
    """The newsroom, an outlet of which answers nobody for as long as ``away`` says."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.away = True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        away = self.away and scope["path"].startswith(f"/{LATE}/")
        await (Response("away", 500) if away else self._app)(scope, receive, send)


class Days:
    """The application over the newsroom: one life at each step, all at one address."""

    def __init__(self, folder: Path, stage: Stage, newsroom: Away, listener: socket.socket) -> None:
        self._database = f"sqlite:///{folder / 'newsfold.db'}"
        self._stage = stage
        self._newsroom = newsroom
        self._listener = listener
        port = listener.getsockname()[1]
        urls = [f"http://127.0.0.1:{port}/news.{form}" for form in ("atom", "rss", "json")]
        clients = {}
        for name, make in MAKERS.items():
            if not why_not(name):
                (folder / name).mkdir()
                clients[name] = make(urls, folder / name)
        self._output: dict[str, object] = {"name": "news", "limit": 30}
        self._joined: tuple[str, list[int]] = "", []
        self.replay = Replay(clients)

    @property
    def settings(self) -> Settings:
        return newsroom_settings(self._database, self._stage, output=[self._output])

    def _now(self) -> datetime:
        return self._stage.moment

    async def life(self) -> tuple[StoryView, ...]:
        """Start, poll everything while clients read, let all of them read, stop."""
        settings = self.settings
        async with opened(settings, self._now) as application:
            await application.publisher.refresh()
            site = Site(settings, application.ledger, application.publisher, lambda: True)
            async with serving(create_app(site), self._listener):
                await self._pass_while_read(application)
                for client in self.replay.clients.values():
                    await asyncio.to_thread(client.poll)
            stories = await all_stories(application)
            self.replay.archives = application.publisher.progress("news").archives
        self.replay.see(stories)
        return stories

    async def _pass_while_read(self, application: Application) -> None:
        impatient = self.replay.clients["feedparser"]
        passing = asyncio.create_task(full_pass(application, everything=True))
        while not passing.done():
            await application.publisher.refresh()
            await asyncio.to_thread(impatient.poll)
        await passing

    def operator_joins_two_stories(self, stories: tuple[StoryView, ...]) -> None:
        one, other = sorted(stories, key=lambda story: story.id)[:2]
        join_stories(self.settings, one.slug, other.slug)
        self._joined = one.slug, [article.id for article in other.articles]

    def operator_takes_it_back(self, _: tuple[StoryView, ...]) -> None:
        split_story(self.settings, *self._joined)

    def operator_takes_a_story_apart(self, stories: tuple[StoryView, ...]) -> None:
        largest = max(stories, key=lambda story: len(story.articles))
        leaving = sorted(article.id for article in largest.articles)[-2:]
        split_story(self.settings, largest.slug, leaving)

    def refold(self, _: tuple[StoryView, ...]) -> None:
        self.replay.refolded = refold_since(
            self.settings, BEGIN + timedelta(days=1), dry_run=False, clock=self._now
        )

    def other_output(self, _: tuple[StoryView, ...]) -> None:
        self._output |= {"title": "Everything", "content": "full", "republish": True}

    def fewer_stories(self, _: tuple[StoryView, ...]) -> None:
        self._output |= {"min_outlets": 2, "per_source": 5}

    def all_stories_again(self, _: tuple[StoryView, ...]) -> None:
        self._output |= {"min_outlets": 1, "per_source": None}

    def late_outlet_comes(self, _: tuple[StoryView, ...]) -> None:
        self._newsroom.away = False


HAPPENINGS = {
    3: Days.operator_joins_two_stories,
    5: Days.operator_takes_it_back,
    6: Days.other_output,
    8: Days.late_outlet_comes,
    9: Days.fewer_stories,
    10: Days.all_stories_again,
    11: Days.refold,
    12: Days.operator_takes_a_story_apart,
    14: Days.operator_joins_two_stories,
}


async def three_days(folder: Path) -> Replay:
    """Every six hours a life of the application, and before some of them something happens."""
    stage = Stage(NEWSROOM, "", BEGIN)
    newsroom = Away(newsroom_app(NEWSROOM, lambda: stage.moment))
    with bind("127.0.0.1:0") as listener:
        async with serve(newsroom) as stage.url:
            days = Days(folder, stage, newsroom, listener)
            stories: tuple[StoryView, ...] = ()
            for step in range(STEPS):
                if happening := HAPPENINGS.get(step):
                    happening(days, stories)
                stories = await days.life()
                stage.moment += STEP
    return days.replay


@pytest.fixture(scope="module")
def replay(tmp_path_factory: pytest.TempPathFactory) -> Replay:
    return asyncio.run(three_days(tmp_path_factory.mktemp("replay")))


# Of reader's own dependencies.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def test_the_days_were_eventful(replay: Replay) -> None:
    assert len(replay.living) > 40
    assert replay.archives > 0
    assert replay.revived
    assert replay.ended
    assert "folded anew" in replay.refolded


@pytest.mark.parametrize("name", MAKERS)
def test_a_reader_shows_nothing_twice_and_misses_nothing(replay: Replay, name: str) -> None:
    if reason := why_not(name):
        pytest.skip(reason)
    for url, shown in replay.clients[name].shown.items():
        assert shown.twice == [], url
        assert replay.living - set(shown.links) == set(), url
