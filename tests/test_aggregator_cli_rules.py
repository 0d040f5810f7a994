"""``newsfold rules test`` as it is typed: a feed by address, by name and in a file."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from fakes import rss
from scripted_server import ScriptedServer, reply

from aggregator.cli.commands import main

FEED = rss(("1", "LIVE: One"), ("2", "Horoscope"), ("3", "Three")).encode()
RULES = """\
[[rule]]
name = "no stars"
sources = ["Times"]
match = ["horoscope"]
action = "drop"
[[rule]]
match = [{ regex = '/3$', in = "url" }]
category = "third"
"""


@pytest.fixture
async def site() -> AsyncIterator[ScriptedServer]:
    async with ScriptedServer() as server:
        server.on("/feed", reply(200, FEED))
        server.on("/page", reply(200, b"<html><body>Hello"))
        yield server


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, site: ScriptedServer) -> Path:
    monkeypatch.chdir(tmp_path)
    source = f'[[source]]\nurl = "{site.url("/feed")}"\nname = "Times"\n'
    source += 'title_prefixes = ["Live: "]\n'
    fetch = '[fetch]\nallow_networks = ["127.0.0.0/8"]\nhost_interval = "0s"\n'
    (tmp_path / "newsfold.toml").write_text(f"{fetch}{source}{RULES}", encoding="utf-8")
    (tmp_path / "saved.xml").write_bytes(FEED)
    return tmp_path


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def tried(*words: str) -> Result:
    return await asyncio.to_thread(CliRunner().invoke, main, ("rules", "test", *words))


@pytest.mark.parametrize("words", [("Times",), ("saved.xml", "--source", "Times")])
async def test_a_source_or_its_feed_in_a_file(words: tuple[str, ...]) -> None:
    said = await tried(*words)
    assert said.exit_code == 0, said.output
    lines = [" ".join(line.split()) for line in said.stdout.splitlines()]
    assert lines == [
        "WHAT BY SOURCE TITLE",
        "title = One Times LIVE: One",
        "drop no stars Times Horoscope",
        "category = third rule 2 Times Three",
        "",
        "3 entries, 1 of them dropped",
        "no stars: 1",
        "rule 2: 1",
    ]


async def test_for_programs(site: ScriptedServer) -> None:
    said = await tried("Times", "--json")
    assert said.exit_code == 0, said.output
    told = json.loads(said.stdout)
    assert (told["entries"], told["dropped"]) == (3, 1)
    assert told["rules"] == [{"rule": "no stars", "entries": 1}, {"rule": "rule 2", "entries": 1}]
    assert [(one["title"], one["rules"], one["effects"]) for one in told["touched"]] == [
        ("LIVE: One", [], ["title = One"]),
        ("Horoscope", ["no stars"], ["drop"]),
        ("Three", ["rule 2"], ["category = third"]),
    ]
    assert {one["source_url"] for one in told["touched"]} == {site.url("/feed")}


async def test_a_feed_of_no_source_has_the_rules_for_all(site: ScriptedServer) -> None:
    site.on("/other", reply(200, FEED))
    said = await tried(site.url("/other"))
    assert said.exit_code == 0, said.output
    assert "3 entries, 0 of them dropped\n  no stars: none\n  rule 2: 1\n" in said.stdout


async def test_what_cannot_be_tried_is_explained(site: ScriptedServer, folder: Path) -> None:
    for words, told in (
        (("saved.xml", "--source", "Tims"), "there is no source 'Tims'"),
        ((site.url("/page"),), "not a feed"),
        ((), "there is no database"),
        (("no such thing",), "is no address"),
        (("127.0.0.1:1",), "no source and no file is called '127.0.0.1:1' either"),
    ):
        said = await tried(*words)
        assert said.exit_code == 1
        assert said.stderr.count("\n") == 1
        assert told in said.stderr
    assert names_in(folder) == ["newsfold.toml", "saved.xml"]
