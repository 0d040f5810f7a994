"""Why an article is where it is, in words, for ``newsfold explain``."""

from aggregator.application import open_storage
from aggregator.config.settings import Settings
from aggregator.errors import ApplicationError
from aggregator.matching.decisions import Explanation
from aggregator.matching.model import Model
from aggregator.stages.folding import rebuild
from storage.database import Database
from storage.folding import members_by_id, stories_of
from storage.values import Member, StoryState


def explanation(settings: Settings, article_id: int) -> str:
    """Which story, which partner, the score in words, and the nearest stories not chosen.

    Raises:
        ApplicationError: there is no such article, or it is not folded yet.
    """
    with open_storage(settings) as database:
        members = members_by_id(database, [article_id])
        if article_id not in members:
            raise ApplicationError(f"there is no article {article_id}")
        matcher = rebuild(database, Model.load())
        if article_id not in matcher:
            raise ApplicationError(f"article {article_id} has no story yet; try again shortly")
        return _in_words(database, matcher.explain(article_id))


def _in_words(database: Database, explained: Explanation) -> str:
    keys = [explained.story, *(other.story for other in explained.not_chosen)]
    stories = {story.key: story for story in stories_of(database, keys, [])}
    nearest = [other.nearest for other in explained.not_chosen]
    ids = [explained.id, explained.reason.partner or explained.id, *nearest]
    members = members_by_id(database, ids)
    lines = [
        _article(explained.id, members),
        f"is in {_story(stories.get(explained.story))}",
        f"because: {explained.reason.words(lambda article: _article(article, members))}",
    ]
    if explained.not_chosen:
        lines.append("\nThe nearest stories that were not chosen:")
    for other in explained.not_chosen:
        lines.append(f"- {_story(stories.get(other.story))}")
        lines.append(f"  nearest there: {_article(other.nearest, members)}")
        lines.append(f"  had {other.score:.2f}: {'; '.join(other.why)}")
    return "\n".join(lines)


def _article(article_id: int, members: dict[int, Member]) -> str:
    member = members.get(article_id)
    return f'{member.outlet}: "{member.title}" ({article_id})' if member else f"({article_id})"


def _story(story: StoryState | None) -> str:
    if story is None:
        return "a story that has ended"
    count = len(story.members)
    return f'story {story.slug}: "{story.title}", {count} article{"s" if count != 1 else ""}'
