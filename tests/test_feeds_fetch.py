"""The HTTP edge over real sockets: what is sent, where to, and what comes of it."""

import asyncio
import gzip
import socket
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import pytest
import pytest_asyncio
import trustme
from aiohttp.abc import AbstractResolver, ResolveResult
from scripted_server import (
    Behaviour,
    Exchange,
    ScriptedServer,
    drip,
    head,
    raw,
    redirect,
    reply,
)

from feeds.http.fetch import Fetcher, HttpFetcher
from feeds.http.guard import Guard
from feeds.model import FailureKind, FetchFailure, FetchRequest, Hop, Response, Validators

LOOPBACK = Guard.allowing(["127.0.0.0/8"])
AGENT = "newsfold/test (+https://news.example/bot)"
FEED = b"<rss version='2.0'/>"


@pytest_asyncio.fixture
async def server() -> AsyncIterator[ScriptedServer]:
    async with ScriptedServer() as server:
        yield server


@pytest_asyncio.fixture
async def other() -> AsyncIterator[ScriptedServer]:
    async with ScriptedServer() as server:
        yield server


@pytest_asyncio.fixture
async def fetcher() -> AsyncIterator[HttpFetcher]:
    async with HttpFetcher(LOOPBACK, AGENT) as fetcher:
        yield fetcher


async def response(fetcher: Fetcher, request: FetchRequest | str) -> Response:
    outcome = await fetcher.fetch(FetchRequest(request) if isinstance(request, str) else request)
    assert isinstance(outcome, Response), outcome
    return outcome


async def failure(fetcher: Fetcher, request: FetchRequest | str) -> FetchFailure:
    outcome = await fetcher.fetch(FetchRequest(request) if isinstance(request, str) else request)
    assert isinstance(outcome, FetchFailure), outcome
    return outcome


# --- what is sent ---------------------------------------------------------------------------------


async def test_the_request_says_who_asks_and_nothing_else(
    server: ScriptedServer, fetcher: HttpFetcher
) -> None:
    await response(fetcher, server.url())
    (request,) = server.requests
    assert request.method == "GET"
    assert request.version == "HTTP/1.1"
    assert [name.lower() for name, _ in request.headers] == [
        "host",
        "user-agent",
        "accept",
        "accept-encoding",
    ]
    assert request.header("user-agent") == AGENT
    assert request.header("accept-encoding") == "gzip, deflate, br, zstd"


async def test_no_cookie_and_no_referer_is_ever_sent(
    server: ScriptedServer, fetcher: HttpFetcher
) -> None:
    server.on("/a", reply(302, Location="/b", Set_Cookie="id=1; Path=/"))
    server.on("/b", reply(200, FEED, Set_Cookie="id=2; Path=/"))
    for _ in range(2):
        await response(fetcher, server.url("/a"))
    assert len(server.requests) == 4
    for request in server.requests:
        assert request.header("cookie") is None
        assert request.header("referer") is None


async def test_the_path_and_query_are_sent_as_given(
    server: ScriptedServer, fetcher: HttpFetcher
) -> None:
    for target in ("/a%2Fb?sig=%2C%7e+x", "/a/../b", "/?a&b==", "/x;y=1,2"):
        await response(fetcher, server.url(target))
        assert server.requests[-1].target == target


async def test_validators_are_stored_and_echoed_byte_for_byte(
    server: ScriptedServer, fetcher: HttpFetcher
) -> None:
    etag, modified = "W/\"caf\u00c3\u00a9, '1'\"", "Sun Nov 22 2026 (approx.)"
    url = server.on("/f", reply(200, FEED, ETag=etag, Last_Modified=modified), reply(304))
    first = await response(fetcher, url)
    stored = Validators(first.url, first.headers["etag"], first.headers["last-modified"])
    second = await response(fetcher, FetchRequest(url, validators=stored))
    assert second.status == 304
    assert server.requests[0].header("if-none-match") is None
    assert server.requests[1].header("if-none-match") == etag
    assert server.requests[1].header("if-modified-since") == modified


async def test_a_304_may_bring_fresh_validators(
    server: ScriptedServer, fetcher: HttpFetcher
) -> None:
    url = server.on("/f", reply(304, ETag='"2"', Cache_Control="max-age=60"))
    answer = await response(fetcher, FetchRequest(url, validators=Validators(url, '"1"')))
    assert answer.headers["etag"] == '"2"'
    assert answer.headers["cache-control"] == "max-age=60"


async def test_validators_of_another_url_are_not_sent(
    server: ScriptedServer, fetcher: HttpFetcher
) -> None:
    url = server.on("/new", reply(200, FEED))
    request = FetchRequest(url, validators=Validators(server.url("/old"), '"1"'))
    assert (await response(fetcher, request)).body == FEED
    assert server.requests[0].header("if-none-match") is None


async def test_a_304_without_validators_is_a_failure(
    server: ScriptedServer, fetcher: HttpFetcher
) -> None:
    outcome = await failure(fetcher, server.on("/f", reply(304)))
    assert outcome.kind is FailureKind.PROTOCOL
    assert "304" in outcome.detail


async def test_a_200_is_read_whatever_its_etag(
    server: ScriptedServer, fetcher: HttpFetcher
) -> None:
    url = server.on("/f", reply(200, b"new", ETag='"1"'))
    answer = await response(fetcher, FetchRequest(url, validators=Validators(url, '"1"')))
    assert (answer.status, answer.body) == (200, b"new")
    assert server.requests[0].header("if-none-match") == '"1"'


async def test_validators_go_to_the_hop_they_were_stored_for(
    server: ScriptedServer, fetcher: HttpFetcher
) -> None:
    url, final = server.on("/a", redirect("/b", 301)), server.on("/b", reply(304))
    answer = await response(fetcher, FetchRequest(url, validators=Validators(final, '"1"')))
    assert answer.url == final
    assert server.seen("/a")[0].header("if-none-match") is None
    assert server.seen("/b")[0].header("if-none-match") == '"1"'


async def test_validators_of_the_first_hop_do_not_reach_the_second(
    server: ScriptedServer, fetcher: HttpFetcher
) -> None:
    url = server.on("/a", redirect("/b"))
    server.on("/b", reply(304))
    outcome = await failure(fetcher, FetchRequest(url, validators=Validators(url, '"1"')))
    assert outcome.kind is FailureKind.PROTOCOL
    assert server.seen("/a")[0].header("if-none-match") == '"1"'
    assert server.seen("/b")[0].header("if-none-match") is None


# --- redirects ------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_every_redirect_is_followed_with_get(
    status: int, server: ScriptedServer, fetcher: HttpFetcher
) -> None:
    url = server.on("/a", redirect("b?x#frag", status))
    server.on("/b", reply(200, FEED))
    answer = await response(fetcher, url)
    assert answer.url == server.url("/b?x")
    assert answer.hops == (Hop(status, url, server.url("/b?x")),)
    assert [request.method for request in server.requests] == ["GET", "GET"]


async def test_secrets_do_not_cross_origins_and_are_sent_again_at_home(
    server: ScriptedServer, other: ScriptedServer, fetcher: HttpFetcher
) -> None:
    url = server.on("/a", redirect(other.url("/b")))
    other.on("/b", redirect(server.url("/c")))
    server.on("/c", redirect(server.url("/d", host="localhost")))
    request = FetchRequest(url, headers={"X-Key": "secret"}, basic_auth=("me", "secret"))
    await response(fetcher, request)
    a, c, d = server.requests
    (b,) = other.requests
    for at_home in (a, c):
        assert at_home.header("x-key") == "secret"
        assert at_home.header("authorization")
    for elsewhere in (b, d):
        assert elsewhere.header("x-key") is None
        assert elsewhere.header("authorization") is None
        assert elsewhere.header("user-agent") == AGENT


async def test_the_number_of_redirects_is_limited(
    server: ScriptedServer, fetcher: HttpFetcher
) -> None:
    for n in range(4):
        server.on(f"/{n}", redirect(f"/{n + 1}"))
    server.on("/4", reply(200, FEED))
    url = server.url("/0")
    assert len((await response(fetcher, FetchRequest(url, max_redirects=4))).hops) == 4
    outcome = await failure(fetcher, FetchRequest(url, max_redirects=3))
    assert outcome.kind is FailureKind.REDIRECTS
    assert len(outcome.hops) == 3


async def test_a_circle_is_left_at_once(server: ScriptedServer, fetcher: HttpFetcher) -> None:
    url = server.on("/a", redirect("/b"))
    server.on("/b", redirect("/a"))
    outcome = await failure(fetcher, FetchRequest(url, max_redirects=50))
    assert outcome.kind is FailureKind.REDIRECTS
    assert len(server.requests) == 2


async def test_a_refused_redirect_says_where_it_leads(
    server: ScriptedServer, fetcher: HttpFetcher
) -> None:
    outcome = await failure(fetcher, server.on("/a", redirect("http://10.1.2.3/admin")))
    assert outcome.kind is FailureKind.FORBIDDEN_ADDRESS
    assert "127.0.0.1 redirects" in outcome.detail
    assert "10.1.2.3 is private" in outcome.detail


# --- what comes back ------------------------------------------------------------------------------


async def test_a_response_is_whole(server: ScriptedServer, fetcher: HttpFetcher) -> None:
    packed = gzip.compress(FEED * 100)
    url = server.on("/f", reply(200, packed, Content_Encoding="gzip", X="\xe9"))
    answer = await response(fetcher, url)
    assert answer.url == url
    assert answer.status == 200
    assert answer.body == FEED * 100
    assert answer.wire_bytes == len(packed)
    assert answer.headers["x"] == "\xe9"
    assert answer.hops == ()
    assert 0 < answer.seconds < 5


async def test_bodies_of_errors_are_left_alone(
    server: ScriptedServer, fetcher: HttpFetcher
) -> None:
    answer = await response(fetcher, server.on("/f", reply(404, b"long explanations")))
    assert (answer.status, answer.body) == (404, b"")


async def test_a_body_may_be_just_as_large_as_allowed(
    server: ScriptedServer, fetcher: HttpFetcher
) -> None:
    request = FetchRequest(server.on("/f", reply(200, bytes(1000))), max_bytes=1000)
    assert len((await response(fetcher, request)).body) == 1000
    outcome = await failure(fetcher, replace(request, max_bytes=999))
    assert outcome.kind is FailureKind.TOO_LARGE
    assert "999 bytes" in outcome.detail


async def test_the_deadline_covers_redirects_and_body(
    server: ScriptedServer, fetcher: HttpFetcher
) -> None:
    url = server.on("/a", redirect("/b"))
    server.on("/b", drip(head(200)))
    outcome = await failure(fetcher, FetchRequest(url, timeout=0.2))
    assert outcome.kind is FailureKind.TIMEOUT
    assert outcome.hops
    assert "but did not finish within 0.2 s" in outcome.detail
    assert outcome.seconds < 2


async def test_a_connection_serves_more_than_one_request(
    server: ScriptedServer, fetcher: HttpFetcher
) -> None:
    url = server.on("/f", reply(200, FEED), reply(404), reply(200, FEED))
    for _ in range(4):
        await response(fetcher, url)
    assert server.connections <= 2


async def test_a_stale_connection_is_replaced_quietly(
    server: ScriptedServer, fetcher: HttpFetcher
) -> None:
    async def last_words(exchange: Exchange) -> None:
        await reply(200, FEED)(exchange)
        exchange.keep = False  # and closes, though it did not say so

    url = server.on("/f", last_words)
    for _ in range(3):
        assert (await response(fetcher, url)).body == FEED


async def test_cancelling_leaves_nothing_behind(
    server: ScriptedServer, fetcher: HttpFetcher
) -> None:
    asked = asyncio.Event()

    async def hang(exchange: Exchange) -> None:
        asked.set()
        await exchange.reader.read()

    task = asyncio.create_task(fetcher.fetch(FetchRequest(server.on("/f", hang))))
    await asked.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await response(fetcher, server.on("/g", reply(200, FEED)))).body == FEED


async def test_hundreds_at_once(server: ScriptedServer, fetcher: HttpFetcher) -> None:
    url = server.on("/f", reply(200, FEED))
    answers = await asyncio.gather(*(response(fetcher, url) for _ in range(300)))
    assert {answer.body for answer in answers} == {FEED}


@pytest.mark.parametrize(
    ("request_", "kind", "words"),
    [
        (FetchRequest("http://127.0.0.1:1/"), FailureKind.CONNECT, "127.0.0.1: no connection"),
        (FetchRequest("http://name.invalid/"), FailureKind.DNS, "name.invalid: the name does not"),
        (FetchRequest("http://10.0.0.1/"), FailureKind.FORBIDDEN_ADDRESS, "10.0.0.1 is private"),
        (FetchRequest("ftp://example.com/"), FailureKind.BAD_URL, "not an http or https URL"),
        (FetchRequest("http://a\ud800.example/"), FailureKind.BAD_URL, "not"),
        (
            FetchRequest("http://127.0.0.1:1/", headers={"X": "a\nb"}),
            FailureKind.PROTOCOL,
            "127.0.0.1 cannot be asked: the header 'X' is malformed",
        ),
        (FetchRequest("http://127.0.0.1:1/", timeout=0), FailureKind.TIMEOUT, "within 0 s"),
    ],
)
async def test_failures_are_worded(
    request_: FetchRequest, kind: FailureKind, words: str, fetcher: HttpFetcher
) -> None:
    outcome = await failure(fetcher, request_)
    assert outcome.kind is kind
    assert words in outcome.detail
    assert outcome.url == request_.url


# --- the guard ------------------------------------------------------------------------------------


@dataclass
class ScriptedResolver(AbstractResolver):
    """Answers each lookup with the next list of addresses; the last one stays."""

    answers: list[list[str]]
    lookups: int = 0

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        del family
        self.lookups += 1
        addresses = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=0,
            )
            for address in addresses
        ]

    async def close(self) -> None:
        pass


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["127.0.0.1", "127.0.0.2"],
        ["127.0.0.1", "::1"],
        ["::ffff:127.0.0.1"],
        ["64:ff9b::7f00:1"],
        ["10.0.0.1", "192.168.0.1", "fe80::1"],
        ["169.254.169.254"],
    ],
)
async def test_a_name_that_resolves_to_private_addresses_is_refused(
    addresses: list[str], server: ScriptedServer
) -> None:
    resolver = ScriptedResolver([addresses])
    async with HttpFetcher(Guard(), AGENT, resolver=resolver) as fetcher:
        outcome = await failure(fetcher, server.url(host="innocent.example"))
    assert outcome.kind is FailureKind.FORBIDDEN_ADDRESS
    assert outcome.detail.startswith("innocent.example: ")
    assert server.connections == 0


async def test_localhost_is_refused_by_the_systems_resolver(server: ScriptedServer) -> None:
    async with HttpFetcher(Guard(), AGENT) as fetcher:
        outcome = await failure(fetcher, server.url(host="localhost"))
    assert outcome.kind is FailureKind.FORBIDDEN_ADDRESS
    assert server.connections == 0


async def test_rebinding_gains_nothing(server: ScriptedServer) -> None:
    # A checker that resolves for itself would see the first, harmless answer only.
    allowed = Guard.allowing(["127.0.0.1"])
    resolver = ScriptedResolver([["127.0.0.1"], ["127.0.0.2"]])
    async with ScriptedServer(host="127.0.0.2") as private:
        async with HttpFetcher(allowed, AGENT, resolver=resolver, keepalive=0.001) as fetcher:
            first = server.on("/a", redirect(f"http://rebind.example:{private.port}/"))
            first = first.replace("127.0.0.1", "rebind.example")
            outcome = await failure(fetcher, first)
        assert outcome.kind is FailureKind.FORBIDDEN_ADDRESS
        assert outcome.detail == "rebind.example: 127.0.0.2 is loopback"
        assert private.connections == 0
    assert resolver.lookups == 2


class FickleGuard(Guard):
    """Lets an address be dialled, then refuses it as peer."""

    def refusal(self, address: str) -> str | None:
        calls.append(address)
        return f"{address} is refused" if len(calls) > 2 else None


calls: list[str] = []


async def test_the_peer_is_judged_before_anything_is_sent(server: ScriptedServer) -> None:
    calls.clear()
    async with HttpFetcher(FickleGuard(), AGENT) as fetcher:
        outcome = await failure(fetcher, server.url())
    assert outcome.kind is FailureKind.FORBIDDEN_ADDRESS
    assert calls == ["127.0.0.1"] * 3  # in the URL, dialled, and as the peer
    assert server.requests == []


async def test_one_dead_address_of_two_does_not_matter(server: ScriptedServer) -> None:
    resolver = ScriptedResolver([["127.0.0.3", "127.0.0.1"]])
    async with HttpFetcher(LOOPBACK, AGENT, resolver=resolver) as fetcher:
        assert (await response(fetcher, server.url(host="two.example"))).status == 404


# --- TLS ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def server_context(authority: trustme.CA, name: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


@pytest.fixture
def trusting(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


async def test_a_trusted_server_is_read(authority: trustme.CA, trusting: ssl.SSLContext) -> None:
    async with (
        ScriptedServer(tls=server_context(authority, "localhost")) as server,
        HttpFetcher(LOOPBACK, AGENT, tls=trusting) as fetcher,
    ):
        server.on("/f", reply(200, FEED * 10_000))
        for _ in range(2):
            url = server.url("/f", host="localhost")
            assert (await response(fetcher, url)).body == FEED * 10_000
        assert server.connections == 1


@pytest.mark.parametrize("name", ["other.example", "127.0.0.1"])
async def test_a_server_of_another_name_is_not(
    name: str, authority: trustme.CA, trusting: ssl.SSLContext
) -> None:
    async with (
        ScriptedServer(tls=server_context(authority, name)) as server,
        HttpFetcher(LOOPBACK, AGENT, tls=trusting) as fetcher,
    ):
        outcome = await failure(fetcher, server.url(host="localhost"))
    assert outcome.kind is FailureKind.TLS
    assert outcome.detail.startswith("localhost: no secure connection")
    assert "ostname mismatch" in outcome.detail
    assert server.requests == []


async def test_an_untrusted_server_is_read_only_where_verification_is_off(
    authority: trustme.CA, fetcher: HttpFetcher
) -> None:
    async with ScriptedServer(tls=server_context(authority, "localhost")) as server:
        url = server.on("/f", reply(200, FEED)).replace("127.0.0.1", "localhost")
        outcome = await failure(fetcher, url)
        assert outcome.kind is FailureKind.TLS
        assert "certificate" in outcome.detail
        assert (await response(fetcher, FetchRequest(url, verify_tls=False))).body == FEED
        # The connection made without verification is not reused for a request with it.
        assert (await failure(fetcher, url)).kind is FailureKind.TLS


@pytest.mark.parametrize("greeting", [b"HTTP/1.1 400 Bad\r\n\r\n", b"\x15\x03\x01\x00\x02\x02\x28"])
async def test_no_tls_on_the_port(greeting: bytes, fetcher: HttpFetcher) -> None:
    async with ScriptedServer(greeting=greeting) as server:
        outcome = await failure(fetcher, server.url().replace("http:", "https:"))
    assert outcome.kind is FailureKind.TLS


# --- proxies --------------------------------------------------------------------------------------


async def test_a_proxy_is_asked_for_the_whole_url(
    server: ScriptedServer, fetcher: HttpFetcher
) -> None:
    server.on("http://news.example/feed", reply(200, FEED))
    proxy = server.url().replace("http://", "http://me:secret@").rstrip("/")
    answer = await response(fetcher, FetchRequest("http://news.example/feed", proxy=proxy))
    assert answer.body == FEED
    (request,) = server.requests
    assert request.target == "http://news.example/feed"
    assert request.header("host") == "news.example"
    assert request.header("proxy-authorization") == "Basic bWU6c2VjcmV0"


def tunnel_to(port: int) -> Behaviour:
    """A CONNECT proxy, whatever host it is asked for."""

    async def behave(exchange: Exchange) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        await exchange.send(b"HTTP/1.1 200 Connected\r\n\r\n")

        async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            while data := await source.read(4096):
                sink.write(data)
            sink.close()

        await asyncio.gather(pump(exchange.reader, writer), pump(reader, exchange.writer))

    return behave


async def test_https_goes_through_a_tunnel(authority: trustme.CA, trusting: ssl.SSLContext) -> None:
    async with (
        ScriptedServer(tls=server_context(authority, "news.example")) as origin,
        ScriptedServer() as proxy,
        HttpFetcher(LOOPBACK, AGENT, tls=trusting) as fetcher,
    ):
        origin.on("/feed", reply(200, FEED))
        proxy.on("news.example:443", tunnel_to(origin.port))
        request = FetchRequest("https://news.example/feed", proxy=proxy.url())
        assert (await response(fetcher, request)).body == FEED
        assert proxy.requests[0].method == "CONNECT"


async def test_a_proxy_that_refuses(server: ScriptedServer, fetcher: HttpFetcher) -> None:
    server.on("news.example:443", reply(403))
    outcome = await failure(fetcher, FetchRequest("https://news.example/", proxy=server.url()))
    assert outcome.kind is FailureKind.CONNECT
    assert "the proxy refuses (403" in outcome.detail


@pytest.mark.parametrize(
    ("proxy", "words"),
    [
        ("http://127.0.0.1:1", "no way to the proxy"),
        ("socks5://127.0.0.1:1", "must be an http:// or https:// URL"),
        ("http://proxy.invalid:3128", "the proxy's name does not resolve"),
        ("http://[", "must be"),
        ("http://", "must be"),
        ("nonsense", "must be"),
    ],
)
async def test_a_proxy_that_cannot_be_used(proxy: str, words: str, fetcher: HttpFetcher) -> None:
    outcome = await failure(fetcher, FetchRequest("http://news.example/", proxy=proxy))
    assert outcome.kind is FailureKind.CONNECT
    assert outcome.detail.startswith("news.example")
    assert words in outcome.detail


async def test_literal_addresses_are_judged_even_through_a_proxy(
    server: ScriptedServer, fetcher: HttpFetcher
) -> None:
    for url in ("http://10.0.0.1/", "http://[::1]/", "http://0x7f.1/"):
        outcome = await failure(fetcher, FetchRequest(url, proxy=server.url()))
        assert outcome.kind in {FailureKind.FORBIDDEN_ADDRESS, FailureKind.BAD_URL}
    assert server.requests == []


async def test_a_proxy_answers_for_its_host_only(
    server: ScriptedServer, fetcher: HttpFetcher
) -> None:
    # The pools are apart: what came through the proxy is no connection to the host itself.
    url = server.url("/f")
    server.on(url, reply(200, b"by proxy"))
    server.on("/f", reply(200, b"direct"))
    assert (await response(fetcher, FetchRequest(url, proxy=server.url()))).body == b"by proxy"
    assert (await response(fetcher, url)).body == b"direct"


async def test_hanging_up_is_met_with_one_retry_at_most(
    server: ScriptedServer, fetcher: HttpFetcher
) -> None:
    outcome = await failure(fetcher, server.on("/f", raw(b"")))
    assert outcome.kind is FailureKind.PROTOCOL
    assert len(server.requests) <= 2


# --- forms --------------------------------------------------------------------------------------


async def recorded_body(exchange: Exchange) -> bytes:
    return await exchange.reader.readexactly(int(exchange.request.header("content-length") or 0))


async def test_a_form_is_posted_and_sent_on_where_it_stays_one(
    server: ScriptedServer, fetcher: HttpFetcher
) -> None:
    bodies = []

    async def take(exchange: Exchange) -> None:
        bodies.append(await recorded_body(exchange))
        await reply(202)(exchange)

    async def pass_on(exchange: Exchange) -> None:
        await recorded_body(exchange)
        await redirect("/there", 307)(exchange)

    server.on("/there", take)
    url = server.on("/here", pass_on)
    validators = Validators(url, '"1"')
    request = FetchRequest(url, form={"hub.url": "https://a.example/?b=c&d"}, validators=validators)
    outcome = await response(fetcher, request)
    assert outcome.status == 202
    assert bodies == [b"hub.url=https%3A%2F%2Fa.example%2F%3Fb%3Dc%26d"]
    assert [sent.method for sent in server.requests] == ["POST", "POST"]
    assert server.requests[0].header("content-type") == "application/x-www-form-urlencoded"
    assert server.requests[0].header("if-none-match") is None


@pytest.mark.parametrize("status", [301, 302, 303])
async def test_a_redirect_that_would_make_a_get_of_a_form_is_the_answer(
    server: ScriptedServer, fetcher: HttpFetcher, status: int
) -> None:
    url = server.on("/here", redirect("/there", status))
    assert (await response(fetcher, FetchRequest(url, form={"a": "b"}))).status == status
    assert len(server.requests) == 1


async def test_a_form_is_never_sent_on_in_the_clear(
    server: ScriptedServer, authority: trustme.CA, trusting: ssl.SSLContext
) -> None:
    async with (
        ScriptedServer(tls=server_context(authority, "127.0.0.1")) as secure,
        HttpFetcher(LOOPBACK, AGENT, tls=trusting) as fetcher,
    ):
        url = secure.on("/here", redirect(server.url("/there"), 308))
        outcome = await failure(fetcher, FetchRequest(url, form={"hub.secret": "s"}))
        assert outcome.kind is FailureKind.REDIRECTS
        assert server.requests == []


async def test_a_form_goes_to_no_address_that_a_get_may_not_go_to(
    server: ScriptedServer, fetcher: HttpFetcher
) -> None:
    url = server.on("/here", redirect("http://10.0.0.1/", 307))
    for target in (url, "http://192.168.0.1/"):
        outcome = await failure(fetcher, FetchRequest(target, form={"a": "b"}))
        assert outcome.kind is FailureKind.FORBIDDEN_ADDRESS
