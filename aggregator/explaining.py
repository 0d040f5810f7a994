"""Why an article is where it is, as plain values and in words: for the command, pages and the API.

The reason is the one that was recorded when the article was placed. The stories that were not
chosen are judged anew from recorded evidence by a matcher that holds only what stood near: the
log-odds are those of then, the similarities beside them may differ in the second digit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aggregator.config.settings import Settings
from aggregator.errors import ApplicationError
from aggregator.matching.decisions import Explanation
from aggregator.matching.model import Model
from aggregator.matching.reasons import Reason, recorded_reason
from aggregator.operating.opening import open_to_look
from aggregator.stages.folding import document_of, rebuild_from
from feeds.urls import canonical_url
from storage.database import Database
from storage.folding import article_at, folded_near, members_by_id, stories_of
from storage.publishing import story_by_slug
from storage.values import Member, StoryState

_LATER = 5_000
"""Articles folded after one that are asked whether they were compared with it."""
_NO_SUCH = (
    "there is no article or story {name}: name an article by its number or its address, a story by "
    "the name in its page's address, or by its tag: URI"
)


@dataclass(frozen=True, slots=True)
class Article:
    """An article as people know it."""

    id: int
    outlet: str
    title: str

    def __str__(self) -> str:
        return f'{self.outlet}: "{self.title}" ({self.id})'


@dataclass(frozen=True, slots=True)
class Story:
    """A story as people know it; ``articles`` is how many it has."""

    slug: str
    title: str
    articles: int

    def __str__(self) -> str:
        plural = "" if self.articles == 1 else "s"
        return f'story {self.slug}: "{self.title}", {self.articles} article{plural}'


@dataclass(frozen=True, slots=True)
class Unchosen:
    """A story that was near but not chosen: its nearest article, and why not.

    ``score`` and ``needed`` are probabilities, 0 to 1.
    """

    story: Story
    nearest: Article
    score: float
    needed: float
    why: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Explained:
    """Where an article stands, the recorded reason, and that reason in words."""

    article: Article
    story: Story
    reason: Reason
    why: str
    not_chosen: tuple[Unchosen, ...]


def explanation(settings: Settings, name: str) -> str:
    """Why an article, or each article of a story, is where it is, in words.

    ``name`` is an article's number or address, or a story's slug, ``tag:`` URI or page.

    Raises:
        ApplicationError: there is no such thing, or it is not folded yet.
    """
    with open_to_look(settings) as database:
        wanted = articles_named(database, name)
        explained = explain(database, Model.load(), wanted)
    if not explained:
        raise ApplicationError(f"{name} has no story yet; try again shortly")
    return "\n\n".join(map(in_words, explained))


def articles_named(database: Database, name: str) -> tuple[int, ...]:
    """The articles that an operator means.

    Raises:
        ApplicationError: there is nothing of that name.
    """
    if (
        name.isascii()
        and name.isdigit()
        and len(name) < 19
        and members_by_id(database, [int(name)])
    ):
        return (int(name),)
    if story := story_by_slug(database, name.rpartition("story/")[2]):
        return tuple(article.id for article in story.articles)
    for address in dict.fromkeys((name, canonical_url(name))):
        found = address and article_at(database, address)
        if found:
            return (found,)
    raise ApplicationError(_NO_SUCH.format(name=name[:200]))


def explain(database: Database, model: Model, wanted: Sequence[int]) -> tuple[Explained, ...]:
    """Why articles stand where they stand; those without a story are left out."""
    near = {one.id: one for one in folded_near(database, wanted, _LATER)}
    matcher = rebuild_from(database, model, near.values())
    told = [
        (matcher.explain(number, document_of(near[number])), near[number])
        for number in wanted
        if number in matcher
    ]
    keys = {key for one, _ in told for key in (one.story, *(o.story for o in one.not_chosen))}
    names = _Names(
        {state.key: state for state in stories_of(database, sorted(keys), [])},
        members_by_id(database, sorted(near)),
    )
    return tuple(names.explained(one, recorded_reason(at.reason)) for one, at in told)


@dataclass(frozen=True, slots=True)
class _Names:
    """What the matcher's keys and ids stand for."""

    stories: Mapping[int, StoryState]
    members: Mapping[int, Member]

    def explained(self, one: Explanation, reason: Reason) -> Explained:
        return Explained(
            article=self.article(one.id),
            story=self.story(one.story),
            reason=reason,
            why=reason.words(lambda article: str(self.article(article))) + self.syndicated(one.id),
            not_chosen=tuple(
                Unchosen(
                    self.story(other.story),
                    self.article(other.nearest),
                    other.score,
                    other.needed,
                    other.why,
                )
                for other in one.not_chosen
            ),
        )

    def syndicated(self, article_id: int) -> str:
        member = self.members.get(article_id)
        if member is None or member.original_url is None:
            return ""
        return f"; its page says that it appeared first at {member.original_url}"

    def article(self, article_id: int) -> Article:
        member = self.members.get(article_id)
        if member is None:
            return Article(article_id, "an article that is gone", "")
        return Article(article_id, member.outlet, member.title)

    def story(self, key: int) -> Story:
        state = self.stories.get(key)
        if state is None:  # a daemon beside this has just joined it to another
            return Story("", "a story that has ended", 0)
        return Story(state.slug, state.title, len(state.members))


def in_words(one: Explained) -> str:
    """What ``explain`` found, for people."""
    lines = [f"{one.article}", f"is in {one.story}", f"because: {one.why}"]
    if one.not_chosen:
        lines.append("\nThe nearest stories that were not chosen:")
    for other in one.not_chosen:
        lines += [f"- {other.story}", f"  nearest there: {other.nearest}"]
        lines.append(f"  {'; '.join(other.why)}")
    return "\n".join(lines)
