"""The demonstration newsroom: its data say what they claim, and its server plays real sites."""

import gzip
import json
import threading
import time
from calendar import timegm
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from html import unescape
from http.client import HTTPConnection, HTTPResponse
from itertools import combinations
from pathlib import Path
from urllib.parse import urlsplit

import feedparser
import jsonschema
import pytest
import uvicorn
from lxml import etree, html
from starlette.applications import Starlette

from aggregator.newsroom import (
    NewsroomArticle,
    Outlet,
    load_newsroom,
    newsroom_app,
    newsroom_config_sources,
    shifted,
)

SCHEMAS = Path(__file__).parents[2] / "shared" / "data" / "schemas"
NEWSROOM = load_newsroom()
ARTICLES = {article.id: article for article in NEWSROOM.articles}
OUTLETS = {outlet.slug: outlet for outlet in NEWSROOM.outlets}
FEED_TYPES = {
    "rss": "application/rss+xml",
    "rdf": "application/rdf+xml",
    "atom": "application/atom+xml",
    "json": "application/feed+json",
}


@dataclass
class Clock:
    """A clock that stands where a test puts it."""

    moment: datetime = datetime(2023, 5, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.moment


@dataclass
class Site:
    """A newsroom on a loopback port, and the clock that it goes by."""

    port: int
    clock: Clock = field(default_factory=Clock)

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def get(self, path: str, method: str = "GET", **headers: str) -> tuple[HTTPResponse, bytes]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, headers=named)
            response = connection.getresponse()
            return response, response.read()
        finally:
            connection.close()

    def page(self, path: str) -> str:
        response, body = self.get(path)
        assert response.status == 200
        return body.decode()


def serve(app: Starlette, clock: Clock) -> Iterator[Site]:
    config = uvicorn.Config(app, port=0, log_level="warning")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    deadline = time.monotonic() + 10
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.01)
    try:
        yield Site(server.servers[0].sockets[0].getsockname()[1], clock)
    finally:
        server.should_exit = True
        thread.join(10)


@pytest.fixture(scope="module")
def running() -> Iterator[Site]:
    clock = Clock()
    yield from serve(newsroom_app(NEWSROOM, clock), clock)


@pytest.fixture
def site(running: Site) -> Site:
    running.clock.moment = Clock().moment
    return running


def words(article: NewsroomArticle) -> list[str]:
    return " ".join(article.paragraphs).lower().split()


def shingles(article: NewsroomArticle) -> set[tuple[str, ...]]:
    tokens = words(article)
    return set(zip(*(tokens[offset:] for offset in range(5)), strict=False))


def origin(article: NewsroomArticle) -> str:
    return article.copy_of or article.id


def outlets_of(event: str) -> set[str]:
    return {article.outlet for article in NEWSROOM.articles if article.event == event}


def text_of(page: str) -> str:
    return " ".join(html.fromstring(page.encode()).text_content().split())


# --- the data ---------------------------------------------------------------------------------


def test_the_newsroom_is_large_and_varied() -> None:
    assert len(NEWSROOM.outlets) >= 9
    assert len(NEWSROOM.articles) >= 75
    assert len({article.event for article in NEWSROOM.articles}) >= 24
    assert {outlet.format for outlet in NEWSROOM.outlets} == {"rss", "rdf", "atom", "json"}
    assert {outlet.carries for outlet in NEWSROOM.outlets} == {"full", "summary", "headline"}
    assert len({outlet.skeleton for outlet in NEWSROOM.outlets}) >= 4
    assert all(outlet.domain.endswith(".example") for outlet in NEWSROOM.outlets)


def test_ids_addresses_and_numbers_are_unique() -> None:
    for values in (
        [article.id for article in NEWSROOM.articles],
        [article.path for article in NEWSROOM.articles],
        [article.number for article in NEWSROOM.articles],
        [event.key for event in NEWSROOM.events],
        [outlet.domain for outlet in NEWSROOM.outlets],
    ):
        assert len(values) == len(set(values))


def test_articles_and_events_name_each_other() -> None:
    keys = {event.key for event in NEWSROOM.events}
    assert {article.event for article in NEWSROOM.articles} == keys
    assert {event.follows for event in NEWSROOM.events} - {None} <= keys
    assert {event.resembles for event in NEWSROOM.events} - {None} <= keys


def test_most_articles_have_the_length_of_news() -> None:
    lengths = [len(words(article)) for article in NEWSROOM.articles]
    assert sum(150 <= length <= 450 for length in lengths) > len(lengths) / 2
    assert max(lengths) <= 450


def test_it_plays_over_four_days() -> None:
    times = [article.published for article in NEWSROOM.articles]
    assert times == sorted(times)
    assert {moment.date().day for moment in times} == {17, 18, 19, 20}
    assert all((moment.year, moment.month) == (2023, 4) for moment in times)
    assert all(article.modified >= article.published for article in NEWSROOM.articles)


@pytest.mark.parametrize("copy", [a for a in NEWSROOM.articles if a.copy_of], ids=lambda a: a.id)
def test_copies_are_word_for_word(copy: NewsroomArticle) -> None:
    original = ARTICLES[copy.copy_of or ""]
    assert copy.paragraphs == original.paragraphs[: len(copy.paragraphs)]
    assert original.copy_of is None
    assert (copy.event, copy.agency) == (original.event, original.agency)
    assert copy.outlet != original.outlet


def test_a_wire_story_is_reprinted_by_three_outlets_one_of_which_trims_it() -> None:
    reprints = Counter(article.copy_of for article in NEWSROOM.articles if article.copy_of)
    story, times = reprints.most_common(1)[0]
    copies = [article for article in NEWSROOM.articles if article.copy_of == story]
    trimmed = [a for a in copies if len(a.paragraphs) < len(ARTICLES[story].paragraphs)]
    assert times >= 3
    assert len({article.outlet for article in copies}) == times
    assert len(trimmed) == 1


def test_several_agencies_are_reprinted_and_a_trimmed_copy_may_come_first() -> None:
    copies = [article for article in NEWSROOM.articles if article.copy_of]
    assert len({article.agency for article in copies}) >= 2
    assert any(copy.published < ARTICLES[copy.copy_of or ""].published for copy in copies)


def test_texts_that_are_not_copies_share_next_to_nothing() -> None:
    own = {article.id: shingles(article) for article in NEWSROOM.articles if not article.copy_of}
    for first, second in combinations(own, 2):
        shorter = min(len(own[first]), len(own[second]))
        shared = len(own[first] & own[second])
        assert shared <= 0.15 * shorter + 5, (first, second, shared)


def test_rewrites_are_of_the_same_event_and_later() -> None:
    rewrites = [article for article in NEWSROOM.articles if article.rewrite_of]
    assert len(rewrites) >= 3
    for article in rewrites:
        original = ARTICLES[article.rewrite_of or ""]
        assert article.event == original.event
        assert article.published > original.published


def test_events_are_told_independently_under_different_headlines() -> None:
    told: Counter[int] = Counter()
    for event in NEWSROOM.events:
        mine = [a for a in NEWSROOM.articles if a.event == event.key]
        told[len({origin(article) for article in mine})] += 1
        originals = [article.title for article in mine if not article.copy_of]
        if not event.key.startswith("briefing"):
            assert len(originals) == len(set(originals))
    assert sum(count for texts, count in told.items() if texts >= 3) >= 12


def test_two_events_of_the_same_kind_fall_close_together() -> None:
    first = {a.event: a.published for a in reversed(NEWSROOM.articles)}
    pairs = [(event.key, event.resembles) for event in NEWSROOM.events if event.resembles]
    assert len(pairs) >= 8
    for one, other in pairs:
        assert abs(first[one] - first[other or ""]) < timedelta(hours=24)


def test_some_events_go_on_the_next_day_and_some_lead_to_new_ones() -> None:
    spans = {
        event.key: [a.published for a in NEWSROOM.articles if a.event == event.key]
        for event in NEWSROOM.events
    }
    long = [key for key, times in spans.items() if max(times) - min(times) > timedelta(hours=20)]
    follow_ups = [event for event in NEWSROOM.events if event.follows]
    assert len(long) >= 3
    assert len(follow_ups) >= 2
    for event in follow_ups:
        assert min(spans[event.key]) > min(spans[event.follows or ""])


def test_briefings_recur_and_are_each_their_own_event() -> None:
    briefings = [a for a in NEWSROOM.articles if a.title == "Morning briefing"]
    assert len(briefings) >= 3
    assert len({article.outlet for article in briefings}) == 1
    for article in briefings:
        assert [a.id for a in NEWSROOM.articles if a.event == article.event] == [article.id]


def test_there_is_a_second_language_with_events_of_its_own() -> None:
    foreign = [article for article in NEWSROOM.articles if article.language == "de"]
    languages = {(article.event, article.language) for article in NEWSROOM.articles}
    assert len(foreign) >= 8
    assert len({article.outlet for article in foreign}) >= 2
    assert len(outlets_of("de-brueckensperrung")) >= 2
    assert len(languages) == len({event for event, _ in languages})


def test_an_opinion_and_a_very_short_item_exist() -> None:
    assert any("Opinion" in article.categories for article in NEWSROOM.articles)
    assert any(len(words(article)) < 60 for article in NEWSROOM.articles if not article.wall)


def test_the_visit_to_two_headquarters_is_told_by_four_outlets_and_a_wire() -> None:
    mine = [a for a in NEWSROOM.articles if a.event == "kherson-luhansk-visit"]
    assert len({article.outlet for article in mine}) >= 4
    assert sum(article.copy_of is not None for article in mine) >= 2
    assert len({origin(article) for article in mine}) >= 4
    for article in mine:
        text = " ".join(article.paragraphs)
        assert "Kherson" in text
        assert "Luhansk" in text


def test_every_kind_of_wall_stands_before_a_decent_summary() -> None:
    walled = {article.wall: article for article in NEWSROOM.articles if article.wall}
    assert set(walled) == {"consent", "paywall", "challenge", "not_found", "video", "script"}
    for article in walled.values():
        assert len(article.summary.split()) >= 35
        assert OUTLETS[article.outlet].carries == "summary"


def test_an_article_stands_as_it_stood_at_the_time() -> None:
    article = ARTICLES["meridian-news-agency/marrow-quake"]
    assert article.updated is not None
    assert article.at(article.published - timedelta(seconds=1)) is None
    early = article.at(article.published)
    assert early is not None
    assert early.title == article.first_title
    assert early.paragraphs == article.paragraphs[:3]
    assert early.modified == article.published
    assert article.at(article.updated) == article


def test_an_update_may_leave_the_title_alone() -> None:
    article = ARTICLES["harbour-post/teachers"]
    early = article.at(article.published)
    assert early is not None
    assert early.title == article.title
    assert len(early.paragraphs) < len(article.paragraphs)


def test_shifting_moves_every_date() -> None:
    by = timedelta(days=1000)
    later = shifted(NEWSROOM, by)
    for before, after in zip(NEWSROOM.articles, later.articles, strict=True):
        assert after.published == before.published + by
        assert after.modified == before.modified + by
        assert (after.updated is None) == (before.updated is None)
        assert after.path == before.path


def test_sources_for_a_configuration_name_their_publishers() -> None:
    sources = newsroom_config_sources(NEWSROOM, "http://127.0.0.1:9000/")
    assert len(sources) == len(NEWSROOM.outlets)
    assert {
        "url": "http://127.0.0.1:9000/relay/feed.json",
        "name": "Relay",
        "publisher": "Relay",
        "category": "technology",
        "language": "en",
        "priority": 5,
    } in sources


# --- the server -------------------------------------------------------------------------------


def feed_of(site: Site, outlet: Outlet) -> feedparser.FeedParserDict:
    response, body = site.get(outlet.feed_path)
    assert response.status == 200
    return feedparser.parse(body, response_headers=dict(response.getheaders()))


@pytest.mark.parametrize(
    "outlet", [o for o in NEWSROOM.outlets if o.format != "json"], ids=lambda o: o.slug
)
def test_xml_feeds_are_well_formed_and_complete(site: Site, outlet: Outlet) -> None:
    parsed = feed_of(site, outlet)
    expected = [a for a in reversed(NEWSROOM.articles) if a.outlet == outlet.slug]
    assert not parsed.bozo
    assert parsed.version == {"rss": "rss20", "rdf": "rss10", "atom": "atom10"}[outlet.format]
    assert parsed.feed.title == outlet.name
    assert [entry.title for entry in parsed.entries] == [article.title for article in expected]
    assert [entry.link for entry in parsed.entries] == [site.base + a.path for a in expected]
    for entry, article in zip(parsed.entries, expected, strict=True):
        stamp = entry.get("published_parsed") or entry.updated_parsed
        assert timegm(stamp) == article.published.timestamp()
    assert len({entry.get("id", entry.link) for entry in parsed.entries}) == len(expected)


@pytest.mark.parametrize("outlet", NEWSROOM.outlets, ids=lambda o: o.slug)
def test_feeds_carry_what_the_outlet_gives_away(site: Site, outlet: Outlet) -> None:
    response, body = site.get(outlet.feed_path)
    text = unescape(unescape(body.decode().replace("\\u0026", "&").replace("\\u0027", "'")))
    article = next(a for a in NEWSROOM.articles if a.outlet == outlet.slug)
    assert response.getheader("content-type") == f"{FEED_TYPES[outlet.format]}; charset=utf-8"
    assert article.title in text
    assert (article.summary in text) == (outlet.carries != "headline")
    assert (article.paragraphs[-1] in text) == (outlet.carries == "full")


def test_the_json_feed_holds_its_schema(site: Site) -> None:
    schema = SCHEMAS / "jsonfeed-1.1.schema.json"
    if not schema.exists():
        pytest.skip("../shared/data is not here: the JSON Feed schema is not checked")
    for outlet in NEWSROOM.outlets:
        if outlet.format == "json":
            jsonschema.validate(
                json.loads(site.page(outlet.feed_path)), json.loads(schema.read_text())
            )


def test_atom_feeds_hold_the_schema_of_the_rfc(site: Site) -> None:
    schema = SCHEMAS / "atom-rfc4287.rng"
    if not schema.exists():
        pytest.skip("../shared/data is not here: the Atom schema is not checked")
    grammar = etree.RelaxNG(etree.parse(schema))
    for outlet in NEWSROOM.outlets:
        if outlet.format == "atom":
            grammar.assertValid(etree.fromstring(site.page(outlet.feed_path).encode()))


def test_the_json_feed_lists_its_articles(site: Site) -> None:
    feed = json.loads(site.page("/relay/feed.json"))
    newest = [a for a in NEWSROOM.articles if a.outlet == "relay"][-1]
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    assert feed["items"][0]["title"] == newest.title
    assert feed["items"][0]["url"] == site.base + newest.path
    assert feed["items"][0]["date_published"] == "2023-04-20T15:40:00+01:00"


def test_feeds_hold_the_newest_thirty() -> None:
    article = ARTICLES["relay/kelp"]
    many = tuple(
        replace(
            article,
            id=f"relay/{number}",
            path=f"/relay/{number}",
            published=article.published + timedelta(minutes=number),
        )
        for number in range(40)
    )
    for crowded in serve(newsroom_app(replace(NEWSROOM, articles=many)), Clock()):
        items = json.loads(crowded.page("/relay/feed.json"))["items"]
        assert [item["url"].rsplit("/")[-1] for item in items] == [
            str(number) for number in range(39, 9, -1)
        ]


@pytest.mark.parametrize("outlet", NEWSROOM.outlets, ids=lambda o: o.slug)
def test_front_pages_advertise_the_feed_and_link_the_articles(site: Site, outlet: Outlet) -> None:
    page = html.fromstring(site.page(f"/{outlet.slug}/").encode())
    (feed,) = page.xpath("//link[@rel='alternate']")
    assert feed.get("href") == site.base + outlet.feed_path
    assert feed.get("type") == FEED_TYPES[outlet.format]
    links = set(page.xpath("//a/@href"))
    assert {site.base + a.path for a in NEWSROOM.articles if a.outlet == outlet.slug} <= links


@pytest.mark.parametrize(
    "article", [a for a in NEWSROOM.articles if not a.wall], ids=lambda a: a.id
)
def test_pages_hold_the_text_and_its_furniture(site: Site, article: NewsroomArticle) -> None:
    outlet = OUTLETS[article.outlet]
    page = site.page(article.path)
    text = text_of(page)
    for paragraph in article.paragraphs:
        assert paragraph.removeprefix("## ") in text
    assert article.title in text
    assert outlet.footer in text
    assert set(outlet.navigation) <= set(html.fromstring(page.encode()).xpath("//a/text()"))
    assert (article.figure is None) or (article.figure.credit in text)
    assert (article.dateline or "") in text
    assert ("og:title" in page) == outlet.open_graph
    assert ("application/ld+json" in page) == outlet.json_ld


def test_linked_data_can_be_read(site: Site) -> None:
    page = html.fromstring(site.page(ARTICLES["harbour-post/brandt"].path).encode())
    data = json.loads(page.xpath("string(//script[@type='application/ld+json'])"))
    assert data["@type"] == "NewsArticle"
    assert data["headline"] == ARTICLES["harbour-post/brandt"].title
    assert data["datePublished"] == "2023-04-19T15:30:00+01:00"
    assert data["isAccessibleForFree"] is True


def test_german_pages_speak_german(site: Site) -> None:
    page = site.page(ARTICLES["flussland-tageblatt/bruecke"].path)
    assert "Veröffentlicht: 17. April 2023, 10:15 Uhr" in text_of(page)


@pytest.mark.parametrize("article", [a for a in NEWSROOM.articles if a.wall], ids=lambda a: a.wall)
def test_walls_stand_before_the_text(site: Site, article: NewsroomArticle) -> None:
    shown = {
        "consent": "We value your privacy",
        "paywall": '"isAccessibleForFree": false',
        "challenge": "Checking if the site connection is secure",
        "not_found": "Page not found",
        "video": "<video",
        "script": "You need to enable JavaScript",
    }
    page = site.page(article.path)
    assert shown[article.wall or ""] in page
    if article.wall != "video":
        assert article.paragraphs[-1] not in text_of(page)


def test_robots_keep_one_directory_for_people(site: Site) -> None:
    rules = site.page("/robots.txt")
    assert "Disallow: /ledgerline/research/" in rules.splitlines()
    assert ARTICLES["ledgerline/freight"].path.startswith("/ledgerline/research/")


def test_addresses_follow_the_name_it_was_asked_by(site: Site) -> None:
    _, body = site.get("/relay/feed.json", Host="news.test:81")
    assert {urlsplit(item["url"]).netloc for item in json.loads(body)["items"]} == {"news.test:81"}


def test_time_can_be_replayed(site: Site) -> None:
    article = ARTICLES["meridian-news-agency/putin-headquarters"]
    assert article.updated is not None
    outlet = OUTLETS[article.outlet]

    site.clock.moment = article.published - timedelta(minutes=1)
    before, _ = site.get(article.path)
    assert before.status == 404
    assert article.first_title not in [entry.title for entry in feed_of(site, outlet).entries]

    site.clock.moment = article.published
    assert feed_of(site, outlet).entries[0].title == article.first_title
    assert article.paragraphs[-1] not in text_of(site.page(article.path))

    site.clock.moment = article.updated
    entry = feed_of(site, outlet).entries[0]
    assert entry.title == article.title
    assert entry.updated_parsed > entry.published_parsed
    assert article.paragraphs[-1] in text_of(site.page(article.path))


@pytest.mark.parametrize("outlet", NEWSROOM.outlets, ids=lambda o: o.slug)
def test_before_the_first_article_all_is_empty_and_well(site: Site, outlet: Outlet) -> None:
    site.clock.moment = datetime(2023, 4, 1, tzinfo=UTC)
    body = site.page(outlet.feed_path)
    if outlet.format == "json":
        assert json.loads(body)["items"] == []
    else:
        parsed = feedparser.parse(body.encode())
        assert not parsed.bozo
        assert parsed.entries == []
    assert outlet.name in text_of(site.page(f"/{outlet.slug}/"))


def test_a_feed_that_did_not_change_answers_304(site: Site) -> None:
    first, body = site.get("/harbour-post/feed.xml")
    etag, modified = first.getheader("etag") or "", first.getheader("last-modified") or ""
    assert body
    assert modified == "Thu, 20 Apr 2023 18:05:00 GMT"
    for headers in (
        {"If_None_Match": etag},
        {"If_None_Match": f'"other", {etag}'},
        {"If_None_Match": "*"},
        {"If_Modified_Since": modified},
    ):
        response, nothing = site.get("/harbour-post/feed.xml", Accept_Encoding="gzip", **headers)
        assert (response.status, nothing) == (304, b"")
        assert response.getheader("etag") == etag
        assert response.getheader("last-modified") == modified


@pytest.mark.parametrize(
    "headers",
    [
        {"If_None_Match": '"other"'},
        {"If_None_Match": '"other"', "If_Modified_Since": "Fri, 01 Jan 2100 00:00:00 GMT"},
        {"If_Modified_Since": "Mon, 17 Apr 2023 00:00:00 GMT"},
        {"If_Modified_Since": "yesterday"},
        {"If_Modified_Since": "Fri, 01 Jan 2100 00:00:00 -0000"},
    ],
)
def test_a_feed_that_may_have_changed_answers_in_full(site: Site, headers: dict[str, str]) -> None:
    response, body = site.get("/harbour-post/feed.xml", **headers)
    assert response.status == 200
    assert body


def test_a_new_article_changes_the_tag(site: Site) -> None:
    etag = site.get("/relay/feed.json")[0].getheader("etag") or ""
    site.clock.moment = datetime(2023, 4, 19, tzinfo=UTC)
    response, _ = site.get("/relay/feed.json", If_None_Match=etag)
    assert response.status == 200
    assert response.getheader("etag") != etag


def test_gzip_is_sent_where_it_is_asked_for(site: Site) -> None:
    response, body = site.get("/harbour-post/feed.xml", Accept_Encoding="gzip")
    assert response.getheader("content-encoding") == "gzip"
    assert gzip.decompress(body) == site.get("/harbour-post/feed.xml")[1]


def test_head_has_no_body(site: Site) -> None:
    response, body = site.get("/relay/feed.json", method="HEAD")
    assert (response.status, body) == (200, b"")
    assert response.getheader("etag")


@pytest.mark.parametrize(
    "path", ["/nobody/", "/relay/2023/nothing", "/relay/feed.xml", "/nobody/feed.xml"]
)
def test_what_is_not_there_is_404(site: Site, path: str) -> None:
    assert site.get(path)[0].status == 404


def test_pictures_are_well_formed(site: Site) -> None:
    article = ARTICLES["harbour-post/brandt"]
    page = html.fromstring(site.page(article.path).encode())
    (source,) = page.xpath("//figure//img/@src")
    response, body = site.get(urlsplit(source).path)
    assert response.getheader("content-type") == "image/svg+xml"
    assert etree.fromstring(body).tag == "{http://www.w3.org/2000/svg}svg"


def test_the_front_page_shows_all_outlets(site: Site) -> None:
    text = text_of(site.page("/"))
    assert all(outlet.name in text for outlet in NEWSROOM.outlets)


def test_without_a_clock_it_goes_by_the_real_one() -> None:
    coming = shifted(
        NEWSROOM, datetime.now(UTC) + timedelta(days=1) - NEWSROOM.articles[0].published
    )
    for future in serve(newsroom_app(coming), Clock()):
        assert json.loads(future.page("/relay/feed.json"))["items"] == []
