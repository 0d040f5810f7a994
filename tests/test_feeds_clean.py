"""What leaves the sanitiser is safe on any page, keeps what readers want, and is made in time."""
# ruff: noqa: E501, SIM905 - markup is read best on one line, lists of names in one text

import time
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urljoin

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import html as lxml_html

from feeds.clean import looks_like_html, one_line, plain_text, sanitise, text_to_html

BASE = "https://site.example/dir/page"

# After OWASP's cheat sheet, the html5sec collection, DOMPurify's and ammonia's regression tests.
ATTACKS = [
    line.replace("\\n", "\n")
    for line in (Path(__file__).parent / "data" / "attacks.txt").read_text().splitlines()
]
TAGS = frozenset(
    "a abbr acronym address article aside audio b bdi bdo blockquote br caption center cite code col"
    " colgroup data dd del details dfn div dl dt em figcaption figure footer h1 h2 h3 h4 h5 h6 header"
    " hgroup hr i img ins kbd li main mark nav ol p pre q rp rt rtc ruby s samp section small source"
    " span strike strong sub summary sup table tbody td tfoot th thead time tr tt u ul var video wbr".split()
)
ADDRESSES = frozenset({"href", "src", "cite", "poster"})
OTHERS = frozenset(
    "alt colspan controls datetime dir headers height hreflang lang rel reversed rowspan scope span"
    " start title type value width".split()
)


class Walker(HTMLParser):
    """Collects what is not allowed, as another parser than the sanitiser's sees it."""

    def __init__(self) -> None:
        super().__init__()
        self.wrong: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in TAGS:
            self.wrong.append(f"<{tag}>")
        for name, value in attrs:
            is_web = (value or "").startswith(("https://", "http://"))
            if name not in ADDRESSES | OTHERS or (name in ADDRESSES and not is_web):
                self.wrong.append(f"{tag} {name}={value}")
            if name == "rel" and value != "noopener noreferrer":
                self.wrong.append(f"rel={value}")

    def handle_comment(self, data: str) -> None:
        self.wrong.append(f"<!--{data}")

    def handle_decl(self, decl: str) -> None:
        self.wrong.append(f"<!{decl}")

    def handle_pi(self, data: str) -> None:
        self.wrong.append(f"<?{data}")

    def unknown_decl(self, data: str) -> None:
        self.wrong.append(f"<![{data}")


def wrongs(html: str) -> list[str]:
    walker = Walker()
    walker.feed(html)
    walker.close()
    if html.strip():
        for element in lxml_html.fragments_fromstring(f"<p>{html}</p>"):
            for node in getattr(element, "iter", list)():
                walker.handle_starttag(str(node.tag), [(str(k), v) for k, v in node.items()])
    return walker.wrong


@pytest.mark.parametrize("attack", ATTACKS)
def test_attacks_are_harmless(attack: str) -> None:
    for html in (attack, f"<p>before {attack} after</p>", f'<a href="/x">{attack}'):
        clean = sanitise(html, BASE)
        assert wrongs(clean) == []
        assert sanitise(clean, BASE) == clean


def test_the_walker_sees_what_it_is_for() -> None:
    seen = [attack for attack in ATTACKS if wrongs(attack)]
    assert len(seen) > 110


tokens = st.one_of(
    st.sampled_from(ATTACKS),
    st.sampled_from(
        "<p> </p> <b <a href= <img src= > /> ' \" = & &amp; &lt; &#60; <!-- --> <![CDATA[ ]]> <svg> </svg> <math> "
        "<style> </style> <script> </script> <noscript> </noscript> <table> <td> <title> <textarea> </textarea> "
        "<mglyph> <mtext> <annotation-xml> javascript: data: onerror=x data-src= srcset= width=1 <template> "
        "</template> <xmp> <plaintext> <option> <select> <form> <frameset> text \0 \ud800 \x85 https://a.example/".split(
            " "
        )
    ),
    st.text(max_size=6),
)


@pytest.mark.parametrize(
    "html", [">\xa0", "a\xa0b", "<a <plaintext> = >\xa0 <table> <a <td>", "<a><table><a>x</table>"]
)
def test_clean_html_stays_as_it_is(html: str) -> None:
    assert sanitise(sanitise(html, BASE), BASE) == sanitise(html, BASE)


@settings(max_examples=400, deadline=None)
@given(st.lists(tokens, max_size=12).map(" ".join), st.sampled_from([BASE, None, "mailto:x"]))
def test_anything_is_harmless_and_clean_html_stays_as_it_is(html: str, base: str | None) -> None:
    clean = sanitise(html, base)
    assert wrongs(clean) == []
    assert sanitise(clean, base) == clean
    assert not set(clean) & set(map(chr, [0, 1, 8, 11, 12, 31, 0xD800, 0xFFFE]))


@pytest.mark.parametrize(
    ("attribute", "html"),
    [
        ("href", '<a href="{}">x</a>'),
        ("src", '<img src="{}">'),
        ("src", '<video src="{}"></video>'),
        ("poster", '<video poster="{}"></video>'),
        ("src", '<audio><source src="{}"></audio>'),
        ("cite", '<blockquote cite="{}">x</blockquote>'),
        ("cite", '<q cite="{}">x</q>'),
    ],
)
@pytest.mark.parametrize(
    "address",
    [
        "more.html",
        "/a/b",
        "../up?x=1&amp;y=2",
        "//cdn.example/z",
        "#note",
        "?q=1",
        "",
        "https://o.example/p",
    ],
)
def test_every_address_resolves_as_in_a_browser(attribute: str, html: str, address: str) -> None:
    clean = sanitise(html.format(address), BASE)
    expected = urljoin(BASE, unescape(address)).replace("&", "&amp;")
    assert f'{attribute}="{expected}"' in clean or (not address and attribute != clean)


def test_without_a_base_relative_addresses_go_and_their_text_stays() -> None:
    assert sanitise('<a href="/x">x</a> <a href="https://o.example/">y</a>', None) == (
        '<a rel="noopener noreferrer">x</a> <a href="https://o.example/" rel="noopener noreferrer">y</a>'
    )


@pytest.mark.parametrize(
    "html",
    [
        "<p>A <em>b</em> <strong>c</strong></p>",
        '<h2 lang="de" dir="ltr">T</h2><ul><li>1</li><li value="7">2</li></ul><ol start="3" reversed=""><li>x</li></ol>',
        '<figure><img src="https://i.example/x.png" alt="a &lt; b" width="300"><figcaption>c</figcaption></figure>',
        '<table><caption>c</caption><thead><tr><th scope="col">h</th></tr></thead><tbody><tr><td colspan="2">d</td></tr></tbody></table>',
        "<details><summary>s</summary>d</details><pre><code>x &lt; y\n  z</code></pre>",
        '<video src="https://v.example/v.mp4" width="640" controls=""></video>',
        '<blockquote cite="https://q.example/">q</blockquote><time datetime="2026-11-22">today</time>',
        "x<sub>1</sub><sup>2</sup><ruby>a<rp>(</rp><rt>b</rt><rp>)</rp></ruby><br><hr>",
    ],
)
def test_what_readers_want_stays(html: str) -> None:
    assert sanitise(html, BASE) == html


def test_text_around_what_goes_stays() -> None:
    assert sanitise("<form>a <blink>b</blink> <font color=red>c</font></form>", BASE) == "a b c"
    assert sanitise("a <script>x</script><style>y</style><iframe>z</iframe> b", BASE) == "a  b"


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ('<img src="/blank.gif" data-src="/real.jpg">', "https://site.example/real.jpg"),
        (
            '<img src="data:image/gif;base64,R0lGOD" data-lazy-src="/real.jpg">',
            "https://site.example/real.jpg",
        ),
        ('<img data-original="/real.jpg">', "https://site.example/real.jpg"),
        ('<img srcset="/s.jpg 480w, /l.jpg 1200w, /m.jpg 800w">', "https://site.example/l.jpg"),
        ('<img srcset="/1.jpg, /2.jpg 2x">', "https://site.example/2.jpg"),
        (
            '<img src="data:,x" data-srcset="/l.jpg . , ,/k.jpg 9.9.9x">',
            "https://site.example/l.jpg",
        ),
        ('<noscript><img src="/real.jpg"></noscript>', "https://site.example/real.jpg"),
        ("<IMG SRC=/real.jpg>", "https://site.example/real.jpg"),
    ],
)
def test_lazy_images_get_their_address_back(html: str, expected: str) -> None:
    assert sanitise(html, BASE) == f'<img src="{expected}">'


def test_a_lazy_image_with_a_fallback_stays_one_image() -> None:
    html = '<img src="/blank.gif" data-src="/a.jpg"><noscript><img src="/a.jpg"></noscript>'
    assert sanitise(html, BASE) == '<img src="https://site.example/a.jpg">'


@pytest.mark.parametrize(
    "html",
    [
        '<img src="https://t.example/p.gif" width="1" height="1">',
        '<img src="https://t.example/p.gif" width="0">',
        "<img src=https://t.example/p.gif height=1px alt=''>",
        '<img src="https://t.example/p.gif" style="display: none">',
        '<img src="https://t.example/p.gif" style="border:0;width:1px;height:1px">',
        "<img alt='nothing to see'>",
        '<img src="javascript:x" alt="x">',
    ],
)
def test_images_that_only_count_readers_go(html: str) -> None:
    assert sanitise(f"a{html}b", BASE) == "ab"


@pytest.mark.parametrize(
    "attributes",
    ['width="10" height="100"', 'style="border-width:1px"', 'style="max-height: 1px; width:100px"'],
)
def test_a_narrow_image_is_no_pixel(attributes: str) -> None:
    assert "x.png" in sanitise(f'<img src="https://i.example/x.png" {attributes}>', BASE)


def test_nested_markup_inside_attributes_stays_inside() -> None:
    # The care of images works on the sanitiser's output and needs this of it.
    assert sanitise("""<img src=/a alt='<img src="x">'>""", BASE) == (
        '<img src="https://site.example/a" alt="&lt;img src=&quot;x&quot;&gt;">'
    )


@pytest.mark.parametrize(
    "html",
    [
        "<div>" * 50_000,
        "<div>" * 50_000 + "</div>" * 50_000,
        "<a " + " ".join(f"a{i}=1" for i in range(50_000)) + ">x",
        '<p style="' + " " * 500_000 + '">x',
        "".join(f"<b a={i}>" for i in range(2_900)) + "<p>" * 2_900,
        "<img src='" * 50_000,
        "<" * 500_000,
        "&" * 500_000,
        "&a" * 100_000,
        "&amp;" * 100_000,
        "<!--" * 100_000,
        "<noscript" * 50_000,
        "</" * 200_000,
        "<br " * 100_000,
        "<p>x" * 100_000,
        '<img srcset="' + "a, " * 100_000 + '">',
        "x\n" * 200_000,
    ],
    ids=lambda html: html[:12],
)
def test_hostile_html_takes_linear_time(html: str) -> None:
    start = time.process_time()
    assert wrongs(sanitise(html, BASE)[:2000]) == []
    plain_text(html)
    looks_like_html(html)
    text_to_html(html)
    assert time.process_time() - start < 6  # 13 and more where one of them is not tamed


def test_too_deep_markup_leaves_its_text() -> None:
    assert "inside &lt; x" in sanitise("<div>" * 4000 + "inside &lt; x", BASE)


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("", ""),
        ("plain", "plain"),
        ("  two\n lines\t", "two lines"),
        ("AT&amp;T", "AT&T"),
        ("a&nbsp;b", "a b"),
        ("<b>W</b>ord", "Word"),
        ("<p>One</p><p>Two<br>three</p>", "One Two three"),
        ("<td>a</td><td>b</td>", "a b"),
        ("a <script>x</script>b<style>y</style>", "a b"),
        ("&lt;b&gt; &amp;lt;", "<b> &lt;"),
        ("5 < 6 and 7 > 3", "5 < 6 and 7 > 3"),
        ("<!-- c -->x", "x"),
        ("It&#146;s \x91quoted\x92", "It’s ‘quoted’"),  # noqa: RUF001 - the typographer's marks are meant
        ("nul\0 half \ud800 pair", "nul half pair"),
        ("<title>T</title>", "T"),
    ],
)
def test_plain_text(html: str, text: str) -> None:
    assert plain_text(html) == text


@given(st.lists(tokens, max_size=10).map(" ".join))
def test_plain_text_is_one_line_without_what_xml_forbids(html: str) -> None:
    text = plain_text(html)
    assert text == " ".join(text.split())
    assert not set(text) & {"\0", "\x1f", "\ud800"}


@pytest.mark.parametrize(
    ("text", "is_html"),
    [
        ("Plain", False),
        ("<b>Bold</b> news", True),
        ("line<br>line", True),
        ("line<br/>line", True),
        ('x <img src="a">', True),
        ("Use of <b> in HTML", False),
        ("a < b > c", False),
        ("AT&amp;T", False),
        ("the </bogus> tag", False),
    ],
)
def test_what_looks_like_html(text: str, is_html: bool) -> None:
    assert looks_like_html(text) is is_html


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("one", "one"),
        ("a < b & c", "a &lt; b &amp; c"),
        ("one\ntwo", "<p>one<br>two</p>"),
        ("one\n \ntwo\n\n\n", "<p>one</p><p>two</p>"),
        ("", ""),
    ],
)
def test_text_to_html(text: str, html: str) -> None:
    assert text_to_html(text) == html
    assert sanitise(html, None) == html


def test_one_line_decodes_once() -> None:
    assert one_line(" AT&amp;amp;T\n&lt;x&gt; ") == "AT&amp;T <x>"
