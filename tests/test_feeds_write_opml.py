"""The list of subscriptions."""

from lxml import etree

from feeds.model import OpmlSource
from feeds.writing.write_opml import render_opml

GAZETTE = OpmlSource(
    "The Gazette & more",
    "https://gazette.example/feed.xml",
    "https://gazette.example/",
    ("Local", "Arts, music"),
    "en_GB",
)
HERALD = OpmlSource("", "https://herald.example/rss")
TIMES = OpmlSource("The Times", "https://times.example/rss", categories=("Business", "Local"))


def test_sources_stand_in_folders_by_first_category() -> None:
    root = etree.fromstring(render_opml("My <sources>", [GAZETTE, TIMES, HERALD]))
    assert root.get("version") == "2.0"
    assert root.findtext("head/title") == "My <sources>"
    body = root.find("body")
    assert body is not None
    assert [outline.get("text") for outline in body] == [
        "https://herald.example/rss",
        "Business",
        "Local",
    ]
    (gazette,) = body[2]
    assert dict(gazette.attrib) == {
        "type": "rss",
        "text": "The Gazette & more",
        "title": "The Gazette & more",
        "xmlUrl": "https://gazette.example/feed.xml",
        "htmlUrl": "https://gazette.example/",
        "language": "en-GB",
        "category": "/Local,/Arts  music",
    }


def test_only_addresses_to_follow_are_listed() -> None:
    document = render_opml("Sources", [OpmlSource("Passwords", "file:///etc/passwd")])
    assert b"passwd" not in document


def test_the_order_does_not_depend_on_anything_else() -> None:
    assert render_opml("S", [GAZETTE, TIMES]) == render_opml("S", [TIMES, GAZETTE])
