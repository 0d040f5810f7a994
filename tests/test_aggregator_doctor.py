"""``newsfold doctor``: what facts mean, and the facts of a real folder, server and database."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from builders import NOW, add_sources, commit_poll, poll_commit, source_config
from click.testing import CliRunner
from fakes import FakeClock, answer, failure
from scripted_server import ScriptedServer, reply

from aggregator.cli.commands import main
from aggregator.config.settings import Settings
from aggregator.operating import checks, machine
from aggregator.operating.checks import Check, Disk
from aggregator.operating.doctor import examine
from feeds.model import FailureKind, FetchOutcome
from storage.database import open_database
from storage.exclusive import sole_use

DAY = timedelta(days=1)
GOOD = answer("https://a.example/robots.txt", "", date="Sun, 22 Nov 2026 12:00:00 GMT")
NO_DNS = failure("https://b.example/robots.txt", FailureKind.DNS)
NO_TLS = failure("https://c.example/robots.txt", FailureKind.TLS)
SERVES = answer("https://news.example/healthz", '{"status":"ok"}')


@pytest.mark.parametrize(
    ("free", "nodes", "database", "state"),
    [
        (10**10, 10**6, 10**6, "ok"),
        (10**10, None, 10**6, "ok"),
        (10**8, 10**6, 10**6, "failed"),
        (10**10, 10, 10**6, "failed"),
        (10**10, 10**6, 9 * 10**9, "warning"),
    ],
)
def test_room_on_the_disk(free: int, nodes: int | None, database: int, state: str) -> None:
    found = checks.disk(Disk("/data", free, 10**11, nodes), database)
    assert found.state == state
    assert bool(found.advice) == (state != "ok")


def test_sqlite_on_a_network_file_system_is_told() -> None:
    assert checks.file_system(Disk("/data", 1, 1, 1, "ext4")) is None
    told = checks.file_system(Disk("/data", 1, 1, 1, "nfs4"))
    assert told is not None
    assert "PostgreSQL" in told.advice


@pytest.mark.parametrize(
    ("ahead", "remembered", "told", "state"),
    [
        (timedelta(0), None, [], "ok"),
        (timedelta(0), NOW, [NOW + timedelta(seconds=3)], "ok"),
        (timedelta(hours=-1), None, [NOW], "failed"),
        (timedelta(hours=1), None, [NOW], "failed"),
        (timedelta(0), NOW + DAY, [NOW], "failed"),
        (timedelta(0), NOW, [NOW, NOW - DAY, NOW], "ok"),  # one server is wrong
        (timedelta(days=-5000), None, [], "failed"),
    ],
)
def test_the_clock(
    ahead: timedelta, remembered: object, told: Sequence[object], state: str
) -> None:
    assert checks.clock(NOW + ahead, remembered, told).state == state  # type: ignore[arg-type]  # times


@pytest.mark.parametrize(
    ("outcomes", "states", "words"),
    [
        ([], ["ok"], "not tried"),
        ([GOOD, GOOD], ["ok"], "2 of 2"),
        ([GOOD, NO_DNS], ["warning"], "b.example: trouble"),
        ([NO_DNS, NO_DNS], ["failed"], "resolv.conf"),
        ([NO_TLS], ["failed", "failed"], "ca-certificates"),
        ([failure("https://d.example/", FailureKind.FORBIDDEN_ADDRESS)], ["failed"], "allow_net"),
        ([failure("https://d.example/")], ["failed"], "firewall"),
    ],
)
def test_the_network(outcomes: Sequence[FetchOutcome], states: list[str], words: str) -> None:
    found = list(checks.network(outcomes))
    assert [check.state for check in found] == states
    assert words in "".join(f"{check.found} {check.advice}" for check in found)


@pytest.mark.parametrize(
    ("url", "daemon", "outcome", "state", "words"),
    [
        ("https://news.example", True, SERVES, "ok", "answers"),
        ("http://news.example", True, SERVES, "warning", "without TLS"),
        ("http://192.168.1.2:8080", True, SERVES, "warning", "is private"),
        ("http://localhost:8080", True, SERVES, "warning", "own"),
        ("https://news.example", False, failure("https://news.example/"), "ok", "no daemon runs"),
        ("https://news.example", True, failure("https://news.example/"), "failed", "trouble"),
        ("https://news.example", True, answer("x", "hello"), "failed", "not as Newsfold does"),
    ],
)
def test_the_public_address(
    url: str, daemon: bool, outcome: FetchOutcome, state: str, words: str
) -> None:
    found = checks.public_address(url, daemon=daemon, answer=outcome)
    assert found.state == state
    assert words in found.found


@pytest.mark.parametrize(("days", "state"), [(60, "ok"), (5, "warning"), (-1, "failed")])
def test_the_certificate_of_the_public_address(days: int, state: str) -> None:
    assert checks.own_certificate("news.example", NOW + days * DAY, NOW).state == state


def test_limits_certificates_and_secrets() -> None:
    assert checks.certificates(0, "/etc/ssl").state == "failed"
    assert checks.certificates(140, "/etc/ssl").state == "ok"
    assert checks.open_files(1024, 1200).state == "warning"
    assert checks.open_files(65536, 1200).state == "ok"
    assert checks.secrets_readable("n.toml", 0o100640) is None
    told = checks.secrets_readable("n.toml", 0o100644)
    assert told is not None
    assert told.advice.startswith("chmod o= n.toml")


# --- the whole ----------------------------------------------------------------------------------


@pytest.fixture
async def site() -> AsyncIterator[ScriptedServer]:
    async with ScriptedServer() as server:
        server.on("/robots.txt", reply(200, b"", Date="Sun, 22 Nov 2026 12:00:00 GMT"))
        server.on("/healthz", reply(200, b'{"status": "ok"}'))
        yield server


def write(path: Path, site: ScriptedServer, more: str = "") -> Path:
    config = path / "newsfold.toml"
    config.write_text(
        f'[server]\nbase_url = "{site.url("/")}"\nlisten = "127.0.0.1:0"\n'
        f'[storage]\nurl = "sqlite:///n.db"\n[fetch]\nallow_networks = ["127.0.0.0/8"]\n{more}'
        f'[[source]]\nurl = "{site.url("/feed")}"\n[[source]]\nurl = "{site.url("/other")}"\n',
        encoding="utf-8",
    )
    return config


async def doctor(config: Path) -> dict[str, Check]:
    found = await asyncio.to_thread(examine, config, {}, FakeClock())
    return {check.about: check for check in reversed(found)}


async def test_a_healthy_installation(site: ScriptedServer, tmp_path: Path) -> None:
    config = write(tmp_path, site)
    before = await doctor(config)
    assert "is not there yet" in before["database"].found
    assert "no daemon runs" in before["address"].found or "loopback" in before["address"].found
    assert [request.target for request in site.requests].count("/robots.txt") == 1
    database = open_database(f"sqlite:///{tmp_path / 'n.db'}")
    (source,) = add_sources(database, source_config("times"))
    commit_poll(database, poll_commit(source.id))
    database.close()
    with sole_use(f"sqlite:///{tmp_path / 'n.db'}"):
        found = await doctor(config)
    assert {about for about, check in found.items() if check.state == "failed"} == set()
    assert found["database"].found.endswith("opens and is whole")
    assert found["sources"].found == "none of 1 is failing"
    assert found["clock"].found.startswith("within")
    assert found["address"].state == "warning", "loopback: nobody else can read it"


async def test_what_is_wrong_is_named_with_what_to_do(site: ScriptedServer, tmp_path: Path) -> None:
    config = write(tmp_path, site, '[metrics]\ntoken = "a secret of sixteen"\n')
    config.chmod(0o644)
    (tmp_path / "n.db").write_bytes(b"no database at all" * 100)
    found = await doctor(config)
    assert found["database"].state == "failed"
    assert "holds secrets" in found["permissions"].found
    assert "a secret of sixteen" not in repr(found)


def test_a_broken_configuration_is_all_there_is_to_say(tmp_path: Path) -> None:
    config = tmp_path / "newsfold.toml"
    (missing,) = examine(config, {}, FakeClock())
    assert missing.advice == "newsfold init writes one"
    config.write_text('[server]\nlistn = "x"\n[fetch]\ntimeout = "soon"\n', encoding="utf-8")
    found = examine(config, {}, FakeClock())
    assert [check.state for check in found] == ["failed", "failed"]
    assert 'did you mean "listen"?' in found[0].found
    said = CliRunner().invoke(main, ["doctor", "--config", str(config)])
    assert said.exit_code == 1
    assert "failed  config" in said.stdout
    said = CliRunner().invoke(main, ["doctor", "--json", "--config", str(config)])
    assert len(json.loads(said.stdout)["checks"]) == 2


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_what_cannot_be_written_is_told(tmp_path: Path) -> None:
    settings = Settings.model_validate({"storage": {"url": f"sqlite:///{tmp_path / 'n.db'}"}})
    tmp_path.chmod(0o500)
    found = [check.state for check in machine.permissions(tmp_path / "n.toml", settings)]
    tmp_path.chmod(0o700)
    assert found == ["failed"]


def test_a_database_is_looked_at_on_either_engine(database_url: str, tmp_path: Path) -> None:
    config = tmp_path / "newsfold.toml"
    text = f'[server]\nbase_url = "http://127.0.0.1:1"\n[storage]\nurl = {json.dumps(database_url)}'
    config.write_text(text, encoding="utf-8")
    config.chmod(0o600)
    found = {check.about: check for check in examine(config, {}, FakeClock())}
    assert found["database"].state == "ok"
    assert found["database"].found.endswith("opens and is whole")
    assert ("disk" in found) == database_url.startswith("sqlite"), "a server's disk is not ours"
    assert found["network"].found == "not tried: there is no source to ask"
    assert found["config"].advice == "newsfold sources add ADDRESS"
    assert found["address"].found.endswith("does not answer: no daemon runs")
