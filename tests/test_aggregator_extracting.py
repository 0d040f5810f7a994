"""``newsfold extract``, with real child processes and loopback HTTP."""

import asyncio
import gzip
import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from newsroom_runs import serve
from pages import PARAGRAPHS, article
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from aggregator.cli.commands import main
from aggregator.config.settings import Settings
from aggregator.operating.extracting import Extracted, Wish, extract_all
from feeds.page.page_rules import PageRules

ROOT = Path(__file__).parent.parent
KEYS = {
    "source", "title", "text", "matching_text", "author", "publisher", "published", "modified",
    "language", "canonical_url", "image", "agency", "quality", "reasons",
}  # fmt: skip


def newsfold(*words: str) -> Result:
    return CliRunner().invoke(main, ["extract", *words])


@pytest.fixture
def pile(tmp_path: Path) -> list[str]:
    """Nine pages, every third one gzipped, each of its own text."""
    names = []
    for number in range(9):
        body = article([f"Report number {number}. {text}" for text in PARAGRAPHS])
        path = tmp_path / f"page{number}.html"
        path.write_bytes(gzip.compress(body) if number % 3 == 0 else body)
        names.append(str(path))
    return names


def test_a_pile_is_a_line_each_in_order(pile: list[str]) -> None:
    said = newsfold("--json", *pile)
    assert said.exit_code == 0
    rows = [json.loads(line) for line in said.stdout.splitlines()]
    assert [row["source"] for row in rows] == pile
    assert all(row.keys() >= KEYS for row in rows)
    assert all(f"Report number {number}." in row["text"] for number, row in enumerate(rows))
    assert said.stderr == ""


def test_what_is_broken_is_a_line_and_the_rest_goes_on(pile: list[str], tmp_path: Path) -> None:
    broken = tmp_path / "broken.html.gz"
    broken.write_bytes(b"\x1f\x8b nothing")
    said = newsfold("--json", pile[0], str(broken), str(tmp_path / "gone"), pile[1])
    assert said.exit_code == 1
    assert [json.loads(line)["source"] for line in said.stdout.splitlines()] == pile[:2]
    one, other = said.stderr.splitlines()
    assert one.startswith(f"{broken}: cannot be read: ")
    assert other == f"{tmp_path / 'gone'}: cannot be read: No such file or directory"


def test_a_person_sees_both_texts_all_facts_and_the_reasons(pile: list[str]) -> None:
    said = newsfold(pile[0], "--url", "https://courier.example/a").stdout
    for name in ("title", "author", "published", "canonical", "wall", "quality", "reasons"):
        assert f"\n{name} " in said
    assert "--- text, " in said
    assert "--- matching text, " in said
    assert "https://courier.example/a" in said


def test_a_rule_is_tried(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_bytes(
        article(after="<div id='x'><p>Just this.</p><p class='no'>Not this.</p></div>")
    )
    said = newsfold("--json", "--select", "#x", "--remove", ".no", str(path))
    assert json.loads(said.stdout)["text"] == "Just this."
    wrong = newsfold("--select", "p[", str(path))
    assert wrong.exit_code == 2
    assert wrong.stderr.startswith("'p[' is no CSS selector: ")


def test_standard_input_and_a_configuration(tmp_path: Path) -> None:
    config = tmp_path / "n.toml"
    config.write_text("[[site]]\nhost = 'courier.example'\nselect = ['#x']\n")
    page = article(after="<div id='x'><p>Just this.</p></div>")
    url = "https://www.courier.example/a"
    command = "from aggregator.cli.commands import main; main()"
    words = ["extract", "--json", "--config", str(config), "--url", url, "-"]
    done = subprocess.run(
        [sys.executable, "-c", command, *words],
        cwd=ROOT,
        input=gzip.compress(page),
        capture_output=True,
        check=True,
    )
    row = json.loads(done.stdout)
    assert (row["source"], row["text"]) == ("-", "Just this.")


def test_a_page_made_to_harm_costs_its_child_only(tmp_path: Path, pile: list[str]) -> None:
    """Ten megabytes of nested elements, beside pages that are well."""
    harm = tmp_path / "harm.html"
    harm.write_bytes(b"<div><p>word " * 800_000)
    settings = Settings.model_validate({"extract": {"timeout": "1s"}})
    made: list[Extracted] = []
    extract_all(Wish([pile[0], str(harm), pile[1]], PageRules()), settings, made.append)
    assert [one.source for one in made] == [pile[0], str(harm), pile[1]]
    assert made[0].reading
    assert made[2].reading
    assert made[1].reading or "could not be read" in made[1].error


class Site:
    """One page, and what else a site answers."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def app(self) -> Starlette:
        return Starlette(routes=[Route("/{name}", self.answer)])

    async def answer(self, request: Request) -> Response:
        name = request.path_params["name"]
        self.asked.append(name)
        if name == "robots.txt":
            return PlainTextResponse("User-agent: *\nDisallow: /secret")
        if name == "page":
            return HTMLResponse(article())
        return PlainTextResponse("no", 404 if name == "gone" else 200)


async def test_addresses_are_fetched_guarded_and_by_robots_txt() -> None:
    site = Site()
    async with serve(site.app()) as url:
        settings = Settings.model_validate(
            {"fetch": {"allow_networks": ["127.0.0.0/8"], "host_interval": "0s"}}
        )
        sources = [f"{url}/{name}" for name in ("page", "secret", "gone", "text")]
        made = await in_a_thread(Wish(sources, PageRules()), settings)
        (refused,) = await in_a_thread(Wish(sources[:1], PageRules()), Settings())
    assert made[0].reading
    assert made[0].reading.url == sources[0]
    assert "robots.txt" in made[1].error
    assert "answered 404" in made[2].error
    assert "text/plain, not HTML" in made[3].error
    assert "127.0.0.1" in refused.error
    assert "secret" not in site.asked


async def in_a_thread(wish: Wish, settings: Settings) -> list[Extracted]:

    made: list[Extracted] = []
    await asyncio.to_thread(extract_all, wish, settings, made.append)
    return made
