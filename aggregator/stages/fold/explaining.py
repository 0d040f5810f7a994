"""Why an article is where it is, as plain values: for the command, pages and the API.

The reason is the one that was recorded when the article was placed. The stories that were not
chosen are judged anew from recorded evidence by a matcher that holds only what stood near: the
log-odds are those of then, the similarities beside them may differ in the second digit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aggregator.matching.decisions import Explanation
from aggregator.matching.model import Model
from aggregator.matching.reasons import Reason, recorded_reason
from aggregator.stages.fold.folding import document_of, rebuild_from
from storage.database import Database
from storage.folding import folded_near, members_by_id, stories_of
from storage.values.fold import Member, StoryState

_LATER = 5_000
"""Articles folded after one that are asked whether they were compared with it."""


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
