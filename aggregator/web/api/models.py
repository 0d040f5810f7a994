"""The answers of the API. Their descriptions are its documentation."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

_STORY_ID = Field(
    description="The story's name in addresses; it never changes.", examples=["k3v9qd7x2m"]
)
_NEXT = Field(
    description="Give it as `cursor` to go on; null at the end. What is new meanwhile neither "
    "repeats nor displaces anything behind it. A page may hold fewer items than `limit`, even "
    "none, and still go on: go on until this is null.",
    examples=["cmFua2VkIDEuNV80Mg"],
)
_WHY = Field(
    description="Why the article is in its story, in words.",
    examples=["the same event as The Courier's; title 0.41; needed 0.50, had 0.83"],
)


class Answer(BaseModel):
    """Fields are always there; null where there is nothing to tell."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", json_schema_serialization_defaults_required=True
    )


class Telling(Answer):
    """Another outlet's headline of a story."""

    outlet: str = Field(description="The outlet's name.", examples=["The Courier"])
    title: str = Field(description="Its headline.", examples=["Bridge closed after storm"])
    url: str | None = Field(description="Its address.", examples=["https://courier.example/b"])


class Story(Answer):
    """A story as lists show it: an event, told by one or more outlets."""

    id: str = _STORY_ID
    page_url: str = Field(
        description="Its page for people.", examples=["https://news.example/story/k3v9qd7x2m"]
    )
    title: str = Field(description="The lead's title.", examples=["Storm closes harbour bridge"])
    language: str | None = Field(description="BCP 47 language of the lead.", examples=["en-GB"])
    outlets: int = Field(description="Independent outlets that tell it.", examples=[4])
    copies: int = Field(description="Articles that carry another's text.", examples=[2])
    rank: float = Field(
        description="Its place on the front page: higher is nearer to the top.", examples=[41.5]
    )
    published_at: datetime = Field(
        description="When it was first published.", examples=["2026-11-22T09:30:00Z"]
    )
    updated_at: datetime = Field(
        description="When its lead, or the lead's text, last changed materially.",
        examples=["2026-11-22T10:00:00Z"],
    )
    latest_at: datetime = Field(
        description="When it was last reported.", examples=["2026-11-22T11:15:00Z"]
    )
    lead_outlet: str = Field(
        description="The outlet whose article leads it.", examples=["Harbour Times"]
    )
    lead_url: str | None = Field(
        description="The lead's address.", examples=["https://harbour.example/storm"]
    )
    summary: str = Field(
        description="The lead's summary, plain text of up to 1,000 characters.",
        examples=["The harbour bridge is closed until Monday."],
    )
    others: tuple[Telling, ...] = Field(
        description="Up to six other outlets' headlines; all are in the story itself.",
        examples=[[{"outlet": "The Courier", "title": "Bridge closed", "url": None}]],
    )


class Reason(Answer):
    """The recorded reason for an article's place."""

    kind: str = Field(
        description="`first` (founded the story), `event` (tells the same event), `copy` (carries "
        "the same text) or `operator` (somebody's word).",
        examples=["event"],
    )
    partner: int | None = Field(
        description="The number of the article that it was found to go with.", examples=[4711]
    )
    score: float = Field(
        description="Probability (0 to 1) that it tells the story's event; of a copy the share of "
        "the shorter text found in the longer.",
        examples=[0.83],
    )
    needed: float = Field(description="The score that was needed.", examples=[0.5])
    parts: tuple[str, ...] = Field(
        description="What spoke for it, in words.", examples=[["title 0.41", "2 hours apart"]]
    )


class Article(Answer):
    """An article: one web document, whatever feeds it was in."""

    id: int = Field(description="Its number.", examples=[4712])
    url: str | None = Field(
        description="Its address; null where its feed gave none.",
        examples=["https://courier.example/b"],
    )
    title: str = Field(description="Its title.", examples=["Bridge closed after storm"])
    outlet: str = Field(description="The outlet's name.", examples=["The Courier"])
    publisher: str = Field(
        description="Who publishes the outlet; articles of one publisher count as one outlet.",
        examples=["courier.example"],
    )
    source_id: int = Field(description="The source that showed it first.", examples=[7])
    authors: tuple[str, ...] = Field(description="Its authors.", examples=[["Ann Author"]])
    categories: tuple[str, ...] = Field(
        description="Categories that its feed gave it.", examples=[["Weather"]]
    )
    language: str | None = Field(description="BCP 47 language.", examples=["en"])
    image: str | None = Field(
        description="The address of a picture, at its publisher.",
        examples=["https://courier.example/b.jpg"],
    )
    published_at: datetime | None = Field(
        description="When it was published; null where nobody says.",
        examples=["2026-11-22T09:45:00Z"],
    )
    arrived_at: datetime = Field(
        description="When it was first seen in a feed.", examples=["2026-11-22T09:50:00Z"]
    )
    state: str = Field(
        description="`new` (to be read), `read` (to be folded) or `folded` (in its story).",
        examples=["folded"],
    )
    story_id: str | None = Field(
        description="The story that it is in; null until it is folded.", examples=["k3v9qd7x2m"]
    )
    copy_of: int | None = Field(
        description="The number of the article whose text it carries.", examples=[4711]
    )
    reason: Reason | None = Field(
        description="Why it is in its story; null until it is folded.",
        examples=[{"kind": "first", "partner": None, "score": 0, "needed": 0, "parts": []}],
    )
    text_source: str | None = Field(
        description="Where its text comes from: `page` or `feed`; null until it is read.",
        examples=["page"],
    )
    text_reasons: tuple[str, ...] = Field(
        description="Why its text comes from there.", examples=[["the page has more"]]
    )
    text_length: int = Field(description="Characters of its text.", examples=[3120])
    wall: str | None = Field(
        description="What kept us from the whole text, such as a paywall.", examples=["paywall"]
    )
    agency: str | None = Field(description="The wire agency it credits.", examples=["Reuters"])
    place: str | None = Field(description="The place of its dateline.", examples=["Port Ellis"])
    summary: str = Field(
        description="Its summary, plain text of up to 1,000 characters.",
        examples=["Police closed the bridge at noon."],
    )


class ArticleDetail(Article):
    """An article with its text, where that may be shown."""

    text: str | None = Field(
        description="The whole text, on a private site (`server.read_token`); null elsewhere: "
        "publishing others' texts is republication.",
        examples=["Police closed the bridge at noon. …"],
    )


class Change(Answer):
    """Something that happened to a story."""

    at: datetime = Field(description="When.", examples=["2026-11-22T10:00:00Z"])
    kind: str = Field(
        description="`founded`, `lead`, `text`, `title` or `joined`.", examples=["lead"]
    )
    detail: str = Field(description="What, in words.", examples=["The Courier"])


class NearMiss(Answer):
    """An article of another story that was compared with one of this."""

    article_id: int = Field(description="The article's number.", examples=[4800])
    title: str = Field(description="Its title.", examples=["Storm floods car park"])
    outlet: str = Field(description="Its outlet.", examples=["The Courier"])
    url: str | None = Field(description="Its address.", examples=["https://courier.example/c"])
    story_id: str = Field(description="The story that it is in.", examples=["p8s2w4r6t1"])
    compared_with: int = Field(
        description="The number of this story's article it came nearest to.", examples=[4712]
    )
    score: float = Field(
        description="Probability (0 to 1) that both tell one event.", examples=[0.31]
    )


class StoryDetail(Story):
    """A story with its articles, its history, and what nearly belonged."""

    uri: str = Field(
        description="Its lasting `tag:` URI: what feed readers know it by.",
        examples=["tag:news.example,2026-11-22:story/k3v9qd7x2m"],
    )
    article_count: int = Field(
        description="How many articles it has; where that is more than are listed here, "
        "`/v1/articles?story=` has them all.",
        examples=[6],
    )
    articles: tuple[Article, ...] = Field(
        description="Up to 200 of its articles, the last to arrive first.", examples=[[]]
    )
    history: tuple[Change, ...] = Field(
        description="What happened to it, oldest first.",
        examples=[[{"at": "2026-11-22T10:00:00Z", "kind": "lead", "detail": "The Courier"}]],
    )
    near_misses: tuple[NearMiss, ...] = Field(
        description="What nearly belonged, nearest first.", examples=[[]]
    )


class Unchosen(Answer):
    """A story that an article was not put into."""

    story_id: str = Field(description="The story; empty where it has ended.", examples=["p8s2w4"])
    title: str = Field(description="Its title.", examples=["Storm floods car park"])
    articles: int = Field(description="How many articles it has.", examples=[3])
    nearest_article_id: int = Field(
        description="The number of its article that came nearest.", examples=[4800]
    )
    score: float = Field(description="The score (0 to 1) that it had.", examples=[0.31])
    needed: float = Field(description="The score that was needed.", examples=[0.5])
    why: tuple[str, ...] = Field(
        description="Why it was not chosen, in words.", examples=[["needed 0.50, had 0.31"]]
    )


class Explanation(Answer):
    """Why an article stands where it stands, and not elsewhere."""

    article_id: int = Field(description="The article's number.", examples=[4712])
    story_id: str = Field(description="The story that it is in.", examples=["k3v9qd7x2m"])
    why: str = _WHY
    reason: Reason = Field(
        description="The same as values, as recorded when the article was placed.",
        examples=[{"kind": "first", "partner": None, "score": 0, "needed": 0, "parts": []}],
    )
    not_chosen: tuple[Unchosen, ...] = Field(
        description="The nearest stories that were not chosen, nearest first.", examples=[[]]
    )


class Source(Answer):
    """A source: a feed that is read, and how it is doing."""

    id: int = Field(description="Its number.", examples=[7])
    url: str = Field(
        description="The feed, as configured.", examples=["https://courier.example/feed"]
    )
    feed_url: str = Field(
        description="Where it is read now; differs after a permanent redirect.",
        examples=["https://courier.example/feed.xml"],
    )
    site_url: str | None = Field(
        description="The site that the feed names.", examples=["https://courier.example/"]
    )
    name: str = Field(description="Its name.", examples=["The Courier"])
    publisher: str = Field(description="Who publishes it.", examples=["courier.example"])
    category: str | None = Field(description="Its category.", examples=["world"])
    language: str | None = Field(description="Its configured language.", examples=["en"])
    enabled: bool = Field(description="Whether it is polled.", examples=[True])
    gone: bool = Field(description="Whether it said that it is gone for good.", examples=[False])
    failing: bool = Field(description="Whether it needs somebody to look.", examples=[False])
    failures: int = Field(description="Failed polls in a row.", examples=[0])
    error: str | None = Field(
        description="What was wrong at the last poll, in words.", examples=["answered 503"]
    )
    last_poll_at: datetime | None = Field(
        description="Its last poll.", examples=["2026-11-22T11:00:00Z"]
    )
    last_success_at: datetime | None = Field(
        description="The last poll that brought a feed.", examples=["2026-11-22T11:00:00Z"]
    )
    last_entry_at: datetime | None = Field(
        description="When it last had something new.", examples=["2026-11-22T10:30:00Z"]
    )
    next_poll_at: datetime | None = Field(
        description="Its next poll; null where there will be none.",
        examples=["2026-11-22T11:15:00Z"],
    )
    interval_seconds: float | None = Field(
        description="Its rhythm; null until there is one.", examples=[900]
    )
    redirect_target: str | None = Field(
        description="A permanent redirect that is being watched.", examples=[None]
    )
    entries_by_day: tuple[int, ...] = Field(
        description="Entries by day of publication (UTC), for 14 days, today last.",
        examples=[[3, 5, 4, 0, 1, 6, 2, 3, 4, 5, 0, 2, 7, 1]],
    )
    full_share: float | None = Field(
        description="Share (0 to 1) of its latest articles whose text is from their page.",
        examples=[0.9],
    )
    delay_seconds: float | None = Field(
        description="Median from publication to our feed, of its latest articles.", examples=[240]
    )


class Poll(Answer):
    """What came of one poll."""

    at: datetime = Field(description="When.", examples=["2026-11-22T11:00:00Z"])
    outcome: str = Field(
        description="`new`, `unchanged`, `failed`, `gone` or `pushed` (a hub delivered).",
        examples=["new"],
    )
    status: int | None = Field(description="The HTTP status, if any.", examples=[200])
    seconds: float = Field(description="How long it took.", examples=[0.31])
    wire_bytes: int = Field(description="Bytes received.", examples=[18230])
    new_entries: int = Field(description="Entries never seen before.", examples=[2])
    changed_entries: int = Field(description="Entries that changed.", examples=[0])
    detail: str = Field(description="What was wrong, in words.", examples=[""])


class SourceDetail(Source):
    """A source with its latest polls."""

    polls: tuple[Poll, ...] = Field(description="Up to 30 polls, the latest first.", examples=[[]])


class Piece(Answer):
    """A part of a text."""

    text: str = Field(description="The part, plain text.", examples=["storm"])
    found: bool = Field(description="Whether this is what was searched for.", examples=[True])


class Hit(Answer):
    """A story that was found, by its article that arrived last."""

    story: Story = Field(description="The story.", examples=[{"id": "k3v9qd7x2m"}])
    article_id: int = Field(description="The number of the article found.", examples=[4712])
    title: tuple[Piece, ...] = Field(
        description="The article's title, in parts.",
        examples=[[{"text": "Bridge closed after ", "found": False}]],
    )
    snippet: tuple[Piece, ...] = Field(
        description="Where in its text, in parts.", examples=[[{"text": "storm", "found": True}]]
    )


class Queue(Answer):
    """What waits at a stage."""

    stage: str = Field(
        description="`poll`, `extract`, `fold`, `deliver`, `announce` or `subscribe`.",
        examples=["fold"],
    )
    length: int = Field(description="How much waits.", examples=[12])
    oldest_seconds: float | None = Field(
        description="How long the oldest of it has waited; null where nothing does.",
        examples=[3.5],
    )


class Totals(Answer):
    """How much is remembered. Up to a minute old."""

    sources: int = Field(description="Configured sources.", examples=[120])
    failing: int = Field(description="Those of them that need somebody to look.", examples=[2])
    entries: int = Field(description="Entries of feeds.", examples=[90120])
    articles: int = Field(description="Articles.", examples=[81200])
    stories: int = Field(description="Living stories.", examples=[43000])


class Notice(Answer):
    """A standing problem that an operator must see to."""

    about: str = Field(description="What it is about.", examples=["storage"])
    text: str = Field(description="What is wrong, in words.", examples=["the disk is full"])


class Output(Answer):
    """A merged feed. Those with a token of their own are not told of."""

    name: str = Field(description="Its name in addresses and filters.", examples=["world"])
    title: str = Field(description="Its title.", examples=["World news"])
    urls: dict[str, str] = Field(
        description="Its address in each format.",
        examples=[{"atom": "https://news.example/world.atom"}],
    )


class Status(Answer):
    """How the daemon is doing."""

    version: str = Field(description="The version that runs.", examples=["0.1.0"])
    time: datetime = Field(description="The time here.", examples=["2026-11-22T12:00:00Z"])
    queues: tuple[Queue, ...] = Field(description="What waits, by stage.", examples=[[]])
    totals: Totals = Field(
        description="How much is remembered.",
        examples=[{"sources": 1, "failing": 0, "entries": 9, "articles": 9, "stories": 5}],
    )
    notices: tuple[Notice, ...] = Field(description="Standing problems.", examples=[[]])
    outputs: tuple[Output, ...] = Field(description="The merged feeds.", examples=[[]])


class StoryPage(Answer):
    """A page of stories."""

    items: tuple[Story, ...] = Field(description="The stories.", examples=[[]])
    next: str | None = _NEXT


class ArticlePage(Answer):
    """A page of articles."""

    items: tuple[Article, ...] = Field(description="The articles.", examples=[[]])
    next: str | None = _NEXT


class SourcePage(Answer):
    """A page of sources."""

    items: tuple[Source, ...] = Field(description="The sources.", examples=[[]])
    next: str | None = _NEXT


class HitPage(Answer):
    """A page of what a search found."""

    items: tuple[Hit, ...] = Field(description="What was found.", examples=[[]])
    next: str | None = _NEXT


class Fault(Answer):
    """One thing that is wrong with a request."""

    where: str = Field(description="The parameter.", examples=["limit"])
    message: str = Field(
        description="What is wrong with it.", examples=["Input should be less than or equal to 200"]
    )


class Problem(Answer):
    """An error, as RFC 9457 describes it."""

    type: str = Field("about:blank", description="The kind of problem.", examples=["about:blank"])
    title: str = Field(description="The HTTP status in words.", examples=["Bad Request"])
    status: int = Field(description="The HTTP status.", examples=[400])
    detail: str = Field(
        description="What is wrong, and what to do.",
        examples=["limit: Input should be less than or equal to 200"],
    )
    errors: tuple[Fault, ...] = Field(
        (), description="Each thing that is wrong with the request.", examples=[[]]
    )
