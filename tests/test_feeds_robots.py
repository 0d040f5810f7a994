"""robots.txt: what it says, what its absence says, and how often it is asked for."""

import asyncio
import time
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from protego import Protego
from scripted_server import ScriptedServer, redirect, reply

from feeds.http.fetch import HttpFetcher
from feeds.http.guard import Guard
from feeds.http.robots import Robots, Rules, read_rules
from feeds.model import FailureKind, FetchFailure, FetchOutcome, FetchRequest, Response

SITE = "https://news.example"


def answer(body: str | bytes, status: int = 200) -> Response:
    body = body.encode() if isinstance(body, str) else body
    return Response(f"{SITE}/robots.txt", status, {}, body)


def rules(text: str | bytes) -> Rules:
    return read_rules(answer(text), "newsfold")


def allows(text: str | bytes, path: str) -> bool:
    return rules(text).refusal(SITE + path) is None


@pytest.mark.parametrize(
    ("text", "allowed", "refused"),
    [
        ("", ["/", "/a"], []),
        ("User-agent: *\nDisallow: /", ["/robots.txt"], ["/", "/a"]),
        ("User-agent: *\nDisallow:", ["/"], []),
        ("User-agent: *\nDisallow: /private", ["/", "/public"], ["/private", "/private/x"]),
        ("User-agent: newsfold\nDisallow: /\n\nUser-agent: *\nAllow: /", [], ["/a"]),
        ("User-agent: NewsFold/1.0\nDisallow: /", [], ["/a"]),
        ("User-agent: newsfold*\nDisallow: /", [], ["/a"]),
        ("User-agent: news\nDisallow: /", ["/a"], []),
        ("User-agent: newsfold-images\nDisallow: /", ["/a"], []),
        ("User-agent:\nDisallow: /", ["/a"], []),
        ("User-agent: *\nDisallow: /\n\nUser-agent: newsfold\nAllow: /", ["/a"], []),
        ("User-agent: other\nDisallow: /", ["/a"], []),
        ("User-agent: other\nUser-agent: newsfold\nDisallow: /a", ["/b"], ["/a"]),
        ("User-agent: newsfold\nUser-agent: other\nDisallow: /a", ["/b"], ["/a"]),
        ("User-agent: *\nDisallow: /\nAllow: /news", ["/news/1"], ["/a"]),
        ("User-agent: *\nDisallow: /*.pdf$", ["/a.pdf?x", "/a"], ["/a.pdf"]),
        ("\ufeffUser-agent: *\nDisallow: /a", ["/b"], ["/a"]),
        ("user-agent : *\r\ndisallow : /a # no", ["/b"], ["/a"]),
        ("useragent *\rDisallow /a", ["/b"], ["/a"]),
        ("<html><body>Not found</body></html>", ["/"], []),
        ("User-agent: *\nDisallow: /caf%C3%A9", ["/cafe"], ["/café", "/caf%c3%a9"]),
    ],
)
def test_rules_are_read(text: str, allowed: list[str], refused: list[str]) -> None:
    for path in allowed:
        assert allows(text, path), path
    for path in refused:
        assert not allows(text, path), path


def test_a_refusal_says_who_said_so() -> None:
    refusal = rules("User-agent: *\nDisallow: /").refusal(f"{SITE}/a")
    assert refusal == "robots.txt does not let newsfold fetch this page"


@pytest.mark.parametrize("status", [301, 400, 401, 403, 404, 410, 451])
def test_a_site_without_the_file_allows_everything(status: int) -> None:
    assert (
        read_rules(answer("User-agent: *\nDisallow: /", status), "newsfold").refusal(SITE) is None
    )


@pytest.mark.parametrize("status", [429, 500, 503, 599])
def test_a_site_that_cannot_say_allows_nothing(status: int) -> None:
    refusal = read_rules(answer("", status), "newsfold").refusal(f"{SITE}/a")
    assert refusal == f"robots.txt cannot be read: status {status}"


@pytest.mark.parametrize("kind", [k for k in FailureKind if k is not FailureKind.REDIRECTS])
def test_no_answer_allows_nothing(kind: FailureKind) -> None:
    outcome = FetchFailure(SITE, kind, "news.example: something")
    assert "news.example: something" in (read_rules(outcome, "newsfold").refusal(SITE) or "")


def test_too_many_redirects_are_as_good_as_no_file() -> None:
    outcome = FetchFailure(SITE, FailureKind.REDIRECTS, "")
    assert read_rules(outcome, "newsfold").refusal(SITE) is None


@pytest.mark.parametrize(
    ("text", "delay"),
    [
        ("User-agent: *\nCrawl-delay: 10", 10.0),
        ("User-agent: *\nCrawl-delay: 0.5", 0.5),
        ("User-agent: *\nCrawl-delay: 99999", 60.0),
        ("User-agent: *\nCrawl-delay: -1", None),
        ("User-agent: *\nCrawl-delay: nan", None),
        ("User-agent: other\nCrawl-delay: 10", None),
        ("", None),
    ],
)
def test_crawl_delay(text: str, delay: float | None) -> None:
    assert rules(text).crawl_delay == delay


@pytest.mark.parametrize("separator", ["\n", "\r", "\x0b", "\u2028"])
def test_a_file_made_to_explode_does_not(separator: str) -> None:
    names = separator.join(f"User-agent: bot{n}" for n in range(12_000))
    rows = separator.join(f"Disallow: /{n}" for n in range(15_000))
    started = time.perf_counter()
    refused = rules(names + separator + "User-agent: *" + separator + rows)
    assert refused.refusal(f"{SITE}/14999") is not None
    assert time.perf_counter() - started < 3


@pytest.mark.parametrize("rule", ["Disallow: /{}", "Allow: /{}"])
def test_more_rules_than_anybody_means_allow_nothing(rule: str) -> None:
    text = "User-agent: *\n" + "\n".join(rule.format(n) for n in range(11_000))
    assert "too many to be meant" in (rules(text).refusal(f"{SITE}/a") or "")
    assert rules("User-agent: other" + text[13:]).refusal(f"{SITE}/a") is None


def test_more_wildcards_than_can_be_matched_allow_nothing() -> None:
    many = "User-agent: *\n" + "\n".join(f"Disallow: /*{n}" for n in range(1_100))
    assert "too many" in (rules(many).refusal(f"{SITE}/a") or "")


_LINES = st.lists(
    st.sampled_from(
        ["User-agent: *", "User-agent: newsfold", "User-agent: other", "user agent other",
         "Disallow: /", "Disallow: /a", "Disallow /a", "Allow: /a", "Disallow:", "Crawl-delay: 3",
         "Request-rate: 1/5", "Sitemap: https://a.example/", "Host: a.example", "# note", "",
         "word", "Content-Signal: ai-train=no", "Disallow: /b # note"]
    ),
    max_size=12,
)  # fmt: skip


@given(_LINES)
@settings(deadline=None, max_examples=300)
def test_what_is_said_to_others_changes_nothing(lines: list[str]) -> None:
    text = "\n".join(lines)
    whole = Protego.parse(text)
    for path in ("/", "/a", "/b"):
        assert allows(text, path) == whole.can_fetch(SITE + path, "newsfold")
    assert rules(text).crawl_delay == whole.crawl_delay("newsfold")


def test_an_address_that_is_no_url_is_refused() -> None:
    assert rules("User-agent: *\nDisallow: /a").refusal("http://[/b?x") is not None


def test_only_the_first_half_megabyte_is_read() -> None:
    text = "User-agent: *\nDisallow: /a\n" + "#" * 600_000 + "\nDisallow: /b"
    assert not allows(text, "/a")
    assert allows(text, "/b")


@given(st.one_of(st.binary(max_size=300), st.text(max_size=300).map(str.encode)), st.text())
@settings(deadline=None)
def test_any_file_and_any_url_get_an_answer(text: bytes, path: str) -> None:
    for url in (SITE + path, path, "http://[" + path):
        assert isinstance(rules(text).refusal(url), str | None)


# --- asking for it --------------------------------------------------------------------------------


@dataclass
class FakeFetcher:
    """Gives each request the next outcome; the last one stays."""

    outcomes: list[FetchOutcome]
    requests: list[FetchRequest] = field(default_factory=list)

    async def fetch(self, request: FetchRequest) -> FetchOutcome:
        self.requests.append(request)
        await asyncio.sleep(0)
        return self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


async def test_a_site_is_asked_once_for_many_pages() -> None:
    fetcher = FakeFetcher([answer("User-agent: *\nDisallow: /b")])
    robots = Robots(fetcher, "newsfold")
    urls = [f"{SITE}/{path}" for path in "aabbaab"]
    found = await asyncio.gather(*(robots.rules(FetchRequest(url)) for url in urls))
    refused = [bool(r.refusal(url)) for r, url in zip(found, urls, strict=True)]
    assert refused == [False, False, True, True, False, False, True]
    assert [request.url for request in fetcher.requests] == [f"{SITE}/robots.txt"]


async def test_origins_are_asked_apart() -> None:
    fetcher = FakeFetcher([answer("")])
    robots = Robots(fetcher, "newsfold")
    for url in ("https://a.example/", "http://a.example/", "https://A.example:8443/x"):
        await robots.rules(FetchRequest(url))
    assert [request.url for request in fetcher.requests] == [
        "https://a.example/robots.txt",
        "http://a.example/robots.txt",
        "https://a.example:8443/robots.txt",
    ]


async def test_a_file_is_kept_for_a_day_and_a_failure_for_minutes() -> None:
    fetcher, clock = FakeFetcher([answer("", 503), answer("")]), Clock()
    robots = Robots(fetcher, "newsfold", clock=clock)
    page = FetchRequest(f"{SITE}/a")
    for now, asked, closed in (
        (0, 1, True), (899, 1, True), (900, 2, False), (87_000, 2, False), (87_300, 3, False)
    ):  # fmt: skip
        clock.now = now
        assert ((await robots.rules(page)).closed is not None) == closed
        assert len(fetcher.requests) == asked


async def test_secrets_are_not_sent_for_it() -> None:
    fetcher = FakeFetcher([answer("")])
    await Robots(fetcher, "newsfold").rules(
        FetchRequest(
            f"{SITE}/a",
            headers={"X": "secret"},
            basic_auth=("a", "b"),
            user_agent="mine/1",
            proxy="http://proxy.example",
            verify_tls=False,
            timeout=7,
        )
    )
    (request,) = fetcher.requests
    assert request.headers == {}
    assert request.basic_auth is None
    assert (request.user_agent, request.proxy) == ("mine/1", "http://proxy.example")
    assert (request.verify_tls, request.timeout) == (False, 7)


async def test_what_is_no_url_is_refused() -> None:
    fetcher = FakeFetcher([answer("")])
    found = await Robots(fetcher, "newsfold").rules(FetchRequest("http://["))
    assert found.refusal("http://[") == "this is not a URL"
    assert fetcher.requests == []


async def test_memory_of_sites_is_bounded() -> None:
    robots = Robots(FakeFetcher([answer("")]), "newsfold")
    for n in range(6000):
        await robots.rules(FetchRequest(f"https://site{n}.example/"))
    assert len(robots._sites) == 5000


async def test_long_files_together_are_bounded_too() -> None:
    text = "User-agent: *\n" + f"Disallow: /{'a' * 900}\n" * 500
    fetcher = FakeFetcher([answer(text)])
    robots = Robots(fetcher, "newsfold")
    for n in range(20):
        await robots.rules(FetchRequest(f"https://site{n}.example/"))
    assert 15 < len(robots._sites) < 20
    await robots.rules(FetchRequest("https://site19.example/"))
    assert len(fetcher.requests) == 20


async def test_a_file_that_says_too_much_is_asked_for_once_a_day_as_well() -> None:
    text = "User-agent: *\n" + "Disallow: /a\n" * 11_000
    fetcher, clock = FakeFetcher([answer(text)]), Clock()
    robots = Robots(fetcher, "newsfold", clock=clock)
    assert (await robots.rules(FetchRequest(f"{SITE}/a"))).closed
    clock.now = 80_000
    assert (await robots.rules(FetchRequest(f"{SITE}/a"))).closed
    assert len(fetcher.requests) == 1


async def test_over_the_wire_with_a_redirect() -> None:
    async with (
        ScriptedServer() as server,
        HttpFetcher(Guard.allowing(["127.0.0.0/8"]), "newsfold/1") as fetcher,
    ):
        server.on("/robots.txt", redirect("/other.txt"))
        server.on("/other.txt", reply(200, b"User-agent: newsfold\nDisallow: /no"))
        found = await Robots(fetcher, "newsfold").rules(FetchRequest(server.url("/no")))
        assert found.refusal(server.url("/no")) is not None
        assert found.refusal(server.url("/yes")) is None
        assert server.requests[0].header("user-agent") == "newsfold/1"
