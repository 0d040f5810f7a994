"""The feeds a page names, and where feeds usually are."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feeds.parsing.discover import FeedLink, feed_links, find_feeds, guess_feeds

PAGE = "https://s.example/blog/post"


def alternate(
    href: str, kind: str = "application/rss+xml", title: str = "", rel: str = "alternate"
) -> str:
    return f'<link rel="{rel}" type="{kind}" href="{href}" title="{title}">'


@pytest.mark.parametrize(
    ("html", "links"),
    [
        (alternate("/feed"), ["https://s.example/feed"]),
        (alternate("feed.xml"), ["https://s.example/blog/feed.xml"]),
        (alternate("//f.example/x"), ["https://f.example/x"]),
        (
            alternate("https://f.example/x", "application/atom+xml; charset=utf-8"),
            ["https://f.example/x"],
        ),
        (alternate("/f", "Application/Feed+JSON"), ["https://s.example/f"]),
        (alternate("/f", rel="ALTERNATE home"), ["https://s.example/f"]),
        (alternate("/x", "", rel="feed"), ["https://s.example/x"]),
        (alternate("feed://f.example/x"), ["http://f.example/x"]),
        (alternate("feed:https://f.example/x"), ["https://f.example/x"]),
        ('<base href="/base/">' + alternate("f"), ["https://s.example/base/f"]),
        ("<base><base href='https://b.example/'>" + alternate("f"), ["https://b.example/f"]),
        (
            alternate("/a") + alternate("/b") + alternate("/a"),
            ["https://s.example/a", "https://s.example/b"],
        ),
        (
            alternate("/comments/feed") + alternate("/r", title="Responses") + alternate("/feed"),
            ["https://s.example/feed", "https://s.example/comments/feed", "https://s.example/r"],
        ),
        ("<a href='/about'>x</a><a href='/rss.xml'>RSS</a>", ["https://s.example/rss.xml"]),
        (
            "<a href='/?feed=rss2'>RSS</a>" + alternate("/feed"),
            ["https://s.example/feed", "https://s.example/?feed=rss2"],
        ),
        # no feeds
        (alternate("/wp-json/x", "application/json"), []),
        (alternate("/oembed?x", "application/json+oembed"), []),
        (alternate("/de", "text/html"), []),
        (alternate("/style", rel="stylesheet"), []),
        (alternate("javascript:alert(1)"), []),
        (alternate(""), []),
        (alternate(PAGE), []),
        ("<a href='/feedback'>x</a><a href='/atomic'>x</a><a>x</a>", []),
        ("", []),
        ("\0", []),
        ("plain text", []),
    ],
)
def test_what_a_page_names(html: str, links: list[str]) -> None:
    assert list(feed_links(html, PAGE)) == links


def test_json_named_like_a_feed_is_one() -> None:
    assert feed_links(alternate("/feed.json", "application/json"), PAGE) == (
        "https://s.example/feed.json",
    )


def test_titles_are_kept_for_people_to_choose_by() -> None:
    html = alternate("/a", title="News &amp; \n more") + "<a href=/b.rss><b>All</b> posts</a>"
    assert find_feeds(html, PAGE) == (
        FeedLink("https://s.example/a", "News & more"),
        FeedLink("https://s.example/b.rss", "All posts"),
    )


def test_only_so_many_are_looked_at() -> None:
    assert len(feed_links("".join(alternate(f"/{n}") for n in range(999)), PAGE)) == 32


@settings(deadline=None)
@given(
    st.one_of(
        st.text(max_size=99),
        st.lists(
            st.sampled_from(
                [
                    "<link ",
                    "<a ",
                    "href='",
                    "rel=alternate ",
                    "type=application/rss+xml ",
                    "/feed",
                    "'",
                    ">",
                    "<base ",
                    "http://[",
                    "\ud800",
                    "<![CDATA[",
                ]
            ),
            max_size=12,
        ).map("".join),
    )
)
def test_discovery_never_raises(html: str) -> None:
    for link in feed_links(html, PAGE):
        assert link.startswith(("http://", "https://"))


def test_guesses_begin_beside_the_page() -> None:
    guesses = guess_feeds("https://s.example/blog/")
    assert guesses[0] == "https://s.example/blog/feed"
    assert "https://s.example/feed.xml" in guesses
    assert len(set(guesses)) == len(guesses)


def test_guesses_for_a_bare_site() -> None:
    assert guess_feeds("https://s.example")[0] == "https://s.example/feed"
    assert guess_feeds("feed:s.example") == guess_feeds("mailto:x@s.example") == ()
