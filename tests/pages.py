"""Article pages for tests: small, whole, and written here."""

from collections.abc import Sequence

PARAGRAPHS = tuple(
    " ".join(paragraph.split())
    for paragraph in """
The harbour bridge of Norwick was closed on Monday after divers found cracks in two of its seven
piers, the city's engineer said, and it will not open again before the spring.

Some forty thousand people cross the bridge on a working day. Buses are sent round by the
northern ring road, which adds half an hour to the way into the old town.

“We would rather answer for a traffic jam than for an accident,” said Marta Lindqvist, who has
run the city's works department since 2019, at a news conference in the town hall.

The cracks were found by chance. A company that was looking for a place to lay a cable had sent
divers down at the weekend, and they came back with photographs that alarmed the engineers.

Merchants in the old town fear for their Christmas trade. The chamber of commerce has asked the
council to let delivery vans use the tram lane until the works are finished.

A first estimate puts the cost of the repair at eleven million crowns, of which the state is to
pay a third. The council votes on the money next Thursday, in an extraordinary session.
""".strip().split("\n\n")
)

MENU = "<nav><ul><li><a href='/'>Home</a></li><li><a href='/news'>News</a></li></ul></nav>"
FOOTER = "<footer><p>Norwick Courier, Quay 4. All rights reserved.</p></footer>"


def article(
    paragraphs: Sequence[str] = PARAGRAPHS,
    *,
    title: str = "Harbour bridge closed until spring",
    head: str = "",
    before: str = "",
    after: str = "",
    lang: str = "en",
) -> bytes:
    """A page with an article; ``before`` and ``after`` stand inside it, around the paragraphs."""
    body = "".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)
    return (
        f"<!doctype html><html lang='{lang}'><head><meta charset='utf-8'>"
        f"<title>{title} | Norwick Courier</title>{head}</head><body>{MENU}<main><article>"
        f"<h1>{title}</h1>{before}<div class='story'>{body}</div>{after}</article></main>{FOOTER}"
        "</body></html>"
    ).encode()
