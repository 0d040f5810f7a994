"""What a process does is a matter of its roles; what they share is one configuration."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import Any

import aiohttp
import pytest
from builders import NOW
from conftest import terminate_backends
from fakes import FakeClock, rss
from newsroom_runs import opened, settings_for
from scripted_server import ScriptedServer, reply

from aggregator.config.server_settings import ROLES
from aggregator.config.settings import Settings
from aggregator.ledger import Ledger
from aggregator.notices import Notices
from aggregator.running.daemon import address_of, daemon
from aggregator.running.neighbours import Neighbourhood, config_version, describe, difference
from aggregator.running.on_duty import OnDuty
from aggregator.running.roles import what_runs
from aggregator.running.server import bind
from storage.database import Database, open_database
from storage.duties import Duties
from storage.processes import Neighbours

DEADLINE = 30.0


@pytest.fixture
def engine_name() -> str:
    return "postgresql"


def with_roles(url: str, *roles: str, **tables: Any) -> Settings:
    return settings_for(url, [], process={"roles": list(roles)}, **tables)


@pytest.mark.parametrize(
    ("said", "roles"),
    [
        ("poll,extract", ("poll", "extract")),
        (" web , fold ", ("fold", "web")),
        (["web", "web"], ("web",)),
        (list(ROLES), ROLES),
    ],
)
def test_roles_are_a_list_or_its_words(said: object, roles: Sequence[str]) -> None:
    assert Settings.model_validate({"process": {"roles": said}}).process.roles == roles


@pytest.mark.parametrize("said", ["", "poll,cook", [], [3], 3])
def test_what_is_no_role_is_refused(said: object) -> None:
    with pytest.raises(ValueError, match="roles"):
        Settings.model_validate({"process": {"roles": said}})


SHARED = {"bell", "neighbours"}


@pytest.mark.parametrize(
    ("roles", "names"),
    [
        (("poll",), {"poll"}),
        (("extract",), {"extract"}),
        (("fold",), {"fold"}),
        (("web",), {"publish", "lead", "announce"}),
        (ROLES, {"poll", "extract", "fold", "publish", "lead", "announce"}),
    ],
)
async def test_each_role_starts_its_stages(
    database_url: str, roles: Sequence[str], names: set[str]
) -> None:
    settings = with_roles(database_url, *roles, websub={"enabled": False})
    async with opened(settings) as application:
        own = describe(application.name, settings, NOW)
        neighbours = Neighbourhood(application.ledger, Notices(), own, FakeClock())
        running = [one.name for one in what_runs(application, neighbours)]
    assert set(running) == names | SHARED
    assert len(running) == len(set(running))


def test_where_it_answers_is_a_matter_of_its_roles() -> None:
    tables: dict[str, Any] = {"server": {"listen": "127.0.0.1:1"}}
    assert address_of(with_roles("", "web", **tables)) == "127.0.0.1:1"
    assert address_of(with_roles("", "poll", **tables)) is None
    probed = {"roles": ["poll"], "listen": "127.0.0.1:2"}
    assert address_of(settings_for("", [], process=probed)) == "127.0.0.1:2"


async def test_a_worker_answers_probes_and_nothing_else(database_url: str) -> None:
    with bind("127.0.0.1:0") as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        settings = with_roles(database_url, "poll")
        async with daemon(settings, listener), aiohttp.ClientSession() as session:
            found = {}
            for path in ("/healthz", "/readyz", "/metrics", "/", "/feed.atom", "/api/v1/status"):
                async with session.get(f"{url}{path}") as response:
                    found[path] = response.status
    assert [path for path, status in found.items() if status == 200] == [
        "/healthz",
        "/readyz",
        "/metrics",
    ]
    assert set(found.values()) == {200, 404}


async def test_two_processes_do_together_what_one_does(database_url: str) -> None:
    """A worker polls, reads and folds; who serves shows it within moments, from the database."""
    async with ScriptedServer() as outlet:
        feed = rss(("1", "Harbour bridge reopens after repairs")).encode()
        outlet.on("/feed", reply(200, feed, Content_Type="application/rss+xml"))
        sources: list[dict[str, object]] = [{"url": outlet.url("/feed"), "full_text": "never"}]
        worker = settings_for(database_url, sources, process={"roles": ["poll", "extract", "fold"]})
        web = settings_for(database_url, sources, process={"roles": ["web"]})
        with bind("127.0.0.1:0") as listener:
            url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            async with (
                daemon(web, listener),
                daemon(worker, None),
                aiohttp.ClientSession() as session,
                asyncio.timeout(DEADLINE),
            ):
                body = ""
                while "Harbour bridge reopens" not in body:
                    async with session.get(f"{url}/feed.atom") as response:
                        body = await response.text()


# --- one configuration ----------------------------------------------------------------------------


def test_configurations_that_mean_the_same_are_one() -> None:
    one = settings_for("postgresql://one/db", [{"url": "https://times.example/feed"}])
    alike = settings_for(
        "postgresql://ten/db",
        [{"url": "https://times.example/feed"}],
        process={"roles": ["poll"], "listen": "127.0.0.1:2"},
        server={"listen": "127.0.0.1:9"},
    )
    other = settings_for("postgresql://one/db", [{"url": "https://post.example/feed"}])
    assert config_version(one) == config_version(alike) != config_version(other)


def test_what_differs_is_said_in_words() -> None:
    settings = settings_for("", [])
    own = describe("one:1", settings, NOW)
    other = describe("two:2", settings_for("", [{"url": "https://times.example/feed"}]), NOW)
    assert difference(own, Neighbours((own,), ())) is None
    found = difference(own, Neighbours((own, other), ()))
    assert found is not None
    assert found.startswith("1 of 2 processes run another configuration than one:1: two:2")


async def test_a_differing_process_is_a_notice_until_it_is_gone(database: Database) -> None:
    ledger, notices = Ledger(database), Notices()
    settings, edited = settings_for("", []), settings_for("", [{"url": "https://a.example/feed"}])
    here = Neighbourhood(ledger, notices, describe("here", settings, NOW), FakeClock())
    there = Neighbourhood(ledger, Notices(), describe("there", edited, NOW), FakeClock())
    await here.begin()
    assert notices.standing() == {}
    await there.begin()
    await here.begin()
    assert "there" in notices.standing()["processes"]
    await there.end()
    await here.begin()
    assert notices.standing() == {}
    ledger.close()


# --- duties ---------------------------------------------------------------------------------------


class Work:
    """Remembers in which terms it was done."""

    def __init__(self) -> None:
        self.terms: list[int] = []
        self.under_way = 0

    async def __call__(self, term: int) -> None:
        self.terms.append(term)
        self.under_way += 1
        try:
            await asyncio.Event().wait()
        finally:
            self.under_way -= 1


@contextlib.asynccontextmanager
async def at_work(ledger: Ledger, work: Work) -> AsyncIterator[asyncio.Task[None]]:
    duties = Duties(ledger.database)
    task = asyncio.create_task(OnDuty(ledger, duties, "fold", work).run())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        duties.close()


async def until(condition: Any) -> None:
    async with asyncio.timeout(DEADLINE):
        while not condition():
            await asyncio.sleep(0.02)


async def test_a_duty_is_taken_over_when_its_holder_ends(database: Database) -> None:
    ledger, one, other = Ledger(database), Work(), Work()
    async with at_work(ledger, one) as first:
        await until(lambda: one.under_way)
        async with at_work(ledger, other):
            assert not other.terms
            first.cancel()
            await until(lambda: other.under_way)
            assert not one.under_way
            assert other.terms[0] == one.terms[0] + 1
    assert not other.under_way
    ledger.close()


async def test_who_loses_the_connection_begins_anew_under_another_term(database: Database) -> None:
    ledger, work = Ledger(database), Work()
    async with at_work(ledger, work):
        await until(lambda: work.under_way)
        await asyncio.to_thread(terminate_backends, database)
        await until(lambda: len(work.terms) == 2)
        await until(lambda: work.under_way == 1)
    assert work.terms[1] == work.terms[0] + 1
    ledger.close()


async def test_on_a_file_the_one_process_does_it_at_once(tmp_path_factory: Any) -> None:
    path = tmp_path_factory.mktemp("alone") / "newsfold.db"
    ledger, work = Ledger(open_database(f"sqlite:///{path}")), Work()
    async with at_work(ledger, work):
        await until(lambda: work.under_way)
    assert work.terms == [0]
    ledger.close()
