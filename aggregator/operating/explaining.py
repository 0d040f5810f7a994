"""``newsfold explain``: why an article, or each article of a story, is where it is, in words."""

from aggregator.config.settings import Settings
from aggregator.errors import ApplicationError
from aggregator.matching.model import Model
from aggregator.operating.opening import open_to_look
from aggregator.stages.fold.explaining import Explained, explain
from feeds.urls import canonical_url
from storage.database import Database
from storage.folding import article_at, members_by_id
from storage.publishing import story_by_slug

_NO_SUCH = (
    "there is no article or story {name}: name an article by its number or its address, a story by "
    "the name in its page's address, or by its tag: URI"
)


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


def in_words(one: Explained) -> str:
    """What ``explain`` found, for people."""
    lines = [f"{one.article}", f"is in {one.story}", f"because: {one.why}"]
    if one.not_chosen:
        lines.append("\nThe nearest stories that were not chosen:")
    for other in one.not_chosen:
        lines += [f"- {other.story}", f"  nearest there: {other.nearest}"]
        lines.append(f"  {'; '.join(other.why)}")
    return "\n".join(lines)
