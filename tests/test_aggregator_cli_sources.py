"""``newsfold sources``: over loopback HTTP, with a real child process, on a real config file."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from click.testing import CliRunner, Result
from fakes import rss
from scripted_server import ScriptedServer, hang, redirect, reply

from aggregator.cli.commands import main

FEED = rss(("1", "One"), ("2", "Two")).encode()
ATOM = b"<feed xmlns='http://www.w3.org/2005/Atom'><title>World \x1b[31m news</title></feed>"
CONFIG = """\
# mine
[fetch]
allow_networks = ["127.0.0.0/8"]
host_interval = "0s"
timeout = "5s"

# kept
"""


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "newsfold.toml"
    path.write_text(CONFIG, encoding="utf-8")
    return path


@pytest_asyncio.fixture
async def site() -> AsyncIterator[ScriptedServer]:
    async with ScriptedServer() as server:
        server.on("/feed.xml", reply(200, FEED, Content_Type="application/rss+xml", ETag='"1"'))
        server.on("/world.atom", reply(200, ATOM))
        yield server


def written(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def beside(path: Path) -> list[Path]:
    return list(path.parent.iterdir())


async def newsfold(*words: str, answer: str = "") -> Result:
    """As a person types it; the server of the test answers meanwhile."""
    run = CliRunner().invoke
    return await asyncio.to_thread(run, main, ("sources", *words), input=answer)


def page(*links: str) -> bytes:
    named = "".join(f"<link rel=alternate type=application/rss+xml href={link}>" for link in links)
    return f"<html><head><title>Site</title>{named}</head><body>Hello</body></html>".encode()


async def test_a_feed_is_added_under_its_own_title(site: ScriptedServer, config: Path) -> None:
    said = await newsfold("add", site.url("/feed.xml"), "--category", "world")
    assert said.exit_code == 0, said.output
    assert f"Times  {site.url('/feed.xml')}" in said.stdout
    assert "RSS, 2 entries" in said.stdout
    assert said.stdout.endswith("Added Times to newsfold.toml.\n")
    added = f'[[source]]\nurl = "{site.url("/feed.xml")}"\nname = "Times"\ncategory = "world"\n'
    assert written(config) == f"{CONFIG}\n{added}"


async def test_what_is_listed_already_is_not_listed_twice(
    site: ScriptedServer, config: Path
) -> None:
    await newsfold("add", site.url("/feed.xml"))
    before = written(config)
    said = await newsfold("add", site.url("/feed.xml/"[:-1]) + "?utm_source=x")
    assert said.exit_code == 1
    assert "it is listed already: Times" in said.stderr
    assert written(config) == before


async def test_a_site_with_one_feed_is_its_feed(site: ScriptedServer, config: Path) -> None:
    site.on("/", reply(200, page("/feed.xml"), Content_Type="text/html"))
    said = await newsfold("add", site.url("/"), "--name", "Mine")
    assert said.exit_code == 0, said.output
    assert "is a page that offers:" in said.stdout
    assert 'name = "Mine"' in written(config)


async def test_of_several_feeds_one_is_picked(site: ScriptedServer, config: Path) -> None:
    site.on("/", reply(200, page("/feed.xml", "/gone.xml", "/world.atom", "/feed.xml")))
    said = await newsfold("add", site.url("/"))
    assert said.exit_code == 1
    assert "say which one with --pick NUMBER" in said.stderr
    assert "  1  Times" in said.stdout
    assert "  2  World [31m news" in said.stdout, "no control character reaches the terminal"
    assert (await newsfold("add", site.url("/"), "--pick", "3")).exit_code == 1
    assert written(config) == CONFIG
    assert (await newsfold("add", site.url("/"), "--pick", "2")).exit_code == 0
    assert site.url("/world.atom") in written(config)


async def test_where_nothing_is_named_the_usual_addresses_are_tried(
    site: ScriptedServer, config: Path
) -> None:
    site.on("/blog/", reply(200, page()))
    said = await newsfold("add", site.url("/blog/"))
    assert said.exit_code == 0, said.output
    assert "has, though it does not say so" in said.stdout
    assert site.url("/feed.xml") in written(config)
    assert len(site.requests) < 20


async def test_a_feed_that_moved_for_good_is_listed_where_it_is(
    site: ScriptedServer, config: Path
) -> None:
    site.on("/old", redirect("/feed.xml", 301))
    site.on("/now", redirect("/feed.xml", 302))
    assert (await newsfold("add", site.url("/old"))).exit_code == 0
    assert site.url("/feed.xml") in written(config)
    said = await newsfold("add", site.url("/now"))
    assert site.url("/now") in written(config), said.output


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("http://10.0.0.1/", "10.0.0.1 is private; fetch.allow_networks"),
        ("http://127.0.0.1:1/", "no connection"),
        ("no such address", "is no address"),
        ("ftp://example.org/", "is no address"),
        ("https://ann:s3cret@example.org/feed", 'write username = "..." and password = "..."'),
    ],
)
async def test_what_cannot_be_added_is_explained(address: str, words: str, config: Path) -> None:
    said = await newsfold("add", address)
    assert said.exit_code == 1
    assert words in said.stderr
    assert "s3cret" not in said.output
    assert written(config) == CONFIG


async def test_a_site_without_any_feed(site: ScriptedServer) -> None:
    bare = site.url("/empty/")
    site.on("/empty/", reply(200, page()))
    site.on("/feed.xml", reply(404))
    said = await newsfold("add", bare)
    assert said.exit_code == 1
    assert said.stderr.startswith(f"no feed was found at {bare}: not a feed: the document is an")


async def test_a_server_that_stops_answering_is_not_asked_for_every_guess(
    site: ScriptedServer, config: Path
) -> None:
    write(config, CONFIG.replace('"5s"', '"300ms"'))
    site.on("/a/", reply(404))
    site.on("/a/feed", hang())
    assert (await newsfold("add", site.url("/a/"))).exit_code == 1
    assert [request.target for request in site.requests] == ["/a/", "/a/feed"]


async def test_test_says_what_a_feed_is_like_and_keeps_nothing(
    site: ScriptedServer, config: Path
) -> None:
    site.on("/moved", redirect("/feed.xml", 301))
    site.on("/robots.txt", reply(200, b"User-agent: *\nDisallow: /"))
    said = await newsfold("test", site.url("/moved"))
    assert said.exit_code == 0, said.output
    rows = {line.split()[0]: line for line in reversed(said.stdout.splitlines())}
    assert "200 in" in rows["answered"]
    assert f"301 to {site.url('/feed.xml')}" in rows["redirects"]
    assert "RSS, called 'Times'" in rows["format"]
    assert "2; 2 without a date that can be believed" in rows["entries"]
    assert "full in 0 of 2 entries" in rows["text"]
    assert "asked about every" in rows["rhythm"]
    assert "ETag: unchanged, it costs next to nothing" in rows["caching"]
    assert f"list {site.url('/feed.xml')} instead" in rows["advice"]
    assert written(config) == CONFIG
    assert beside(config) == [config]


async def test_test_asks_a_source_as_configured(site: ScriptedServer, config: Path) -> None:
    source = f'[[source]]\nname = "Times"\nurl = "{site.url("/feed.xml")}"\n'
    write(config, f'{CONFIG}{source}username = "ann"\npassword = "s3cret"')
    said = await newsfold("test", "Times")
    assert said.exit_code == 0, said.output
    (asked,) = site.seen("/feed.xml")
    assert asked.header("authorization") == "Basic YW5uOnMzY3JldA=="
    assert "s3cret" not in said.output


async def test_test_of_what_is_no_feed(site: ScriptedServer) -> None:
    site.on("/", reply(200, page("/feed.xml")))
    said = await newsfold("test", site.url("/"))
    assert said.exit_code == 1
    assert "problem    not a feed" in said.stdout
    assert f"advice     it is a page, not a feed: list {site.url('/feed.xml')}" in said.stdout
    said = await newsfold("test", site.url("/missing"))
    assert said.exit_code == 1
    assert "the server answered 404" in said.stdout


async def test_test_of_what_is_no_public_address_or_no_name() -> None:
    said = await newsfold("test", "http://10.0.0.1/feed")
    assert "advice     fetch.allow_networks" in said.stdout
    said = await newsfold("test", "127.0.0.1:1")
    assert said.exit_code == 1
    assert "advice     no source is called '127.0.0.1:1' either" in said.stdout


async def test_sources_are_listed_and_removed(config: Path) -> None:
    one = '[[source]]\nurl = "https://one.example/feed"\nname = "One"\ncategory = "world"\n'
    two = '[[source]]\nurl = "https://two.example/feed"\nenabled = false\n'
    write(config, f'include = ["seeds/world.toml"]\n{CONFIG}{one}{two}')
    said = (await newsfold("list")).stdout.splitlines()
    assert said[0].split() == ["NAME", "CATEGORY", "URL"]
    assert said[1].split() == ["One", "world", "https://one.example/feed"]
    assert said[2].split() == ["two.example", "off", "https://two.example/feed"]
    assert said[-1].endswith("sources")
    included = said[3].split()[-1]
    for wrong, words in (("nobody", "there is no source 'nobody'"), (included, "includes")):
        refused = await newsfold("remove", wrong)
        assert refused.exit_code == 1
        assert words in refused.stderr
    removed = await newsfold("remove", "https://two.example/feed/")
    assert removed.stdout == "Removed two.example from newsfold.toml.\n"
    assert (await newsfold("remove", "One")).exit_code == 0
    left = written(config)
    assert left == f'include = ["seeds/world.toml"]\n{CONFIG}'


async def test_a_name_that_two_sources_share_is_not_removed(config: Path) -> None:
    rows = [f'[[source]]\nurl = "https://{n}.example/"\nname = "Same"\n' for n in "ab"]
    write(config, CONFIG + "".join(rows))
    said = await newsfold("remove", "Same")
    assert said.exit_code == 1
    assert "2 sources are called 'Same'; say which: https://a.example/, " in said.stderr


async def test_an_empty_list() -> None:
    assert (await newsfold("list")).stdout == "0 sources\n"


async def test_what_is_dangerous_is_said_by_every_command(config: Path) -> None:
    row = '[[source]]\nurl = "https://one.example/feed"\ntls_verify = false\n'
    write(config, CONFIG + row)
    said = await asyncio.to_thread(CliRunner().invoke, main, ["check"])
    assert said.exit_code == 0
    assert said.stderr.startswith("WARNING: one.example: TLS certificates are not verified")
