"""``newsfold extract``: what is made of a page, shown to a person or as a line of JSON."""

import json
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aggregator.cli.words import fail, read_settings
from aggregator.config.environment import CONFIG_VARIABLE
from aggregator.config.settings import Settings

if TYPE_CHECKING:  # heavy, and --help shall be quick
    from aggregator.operating.extracting import Extracted
    from feeds.model import PageReading
    from feeds.page.page_rules import PageRules


@click.command(short_help="Show what is made of a page.")
@click.argument("sources", metavar="URL-or-FILE...", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="A line of JSON for each page.")
@click.option("--select", multiple=True, metavar="CSS", help="Try a rule: what holds the article.")
@click.option("--remove", multiple=True, metavar="CSS", help="Try a rule: what is dropped.")
@click.option("--next-page", metavar="CSS", help="Try a rule: the link to the next page.")
@click.option("--url", default="", help="The address of what is in a file.")
@click.option(
    "--config",
    "-c",
    type=click.Path(path_type=Path, dir_okay=False),
    envvar=CONFIG_VARIABLE,
    show_envvar=True,
    help="Use this configuration's [[site]] rules, [fetch] and [extract]; none unless named.",
)
def extract(  # noqa: PLR0917 - click hands over every option by itself
    sources: tuple[str, ...],
    as_json: bool,
    select: tuple[str, ...],
    remove: tuple[str, ...],
    next_page: str | None,
    url: str,
    config: Path | None,
) -> None:
    """Show what is made of article pages: both texts, all metadata, and why.

    A page is an address, a file (gzipped or not), or - for standard input. What cannot be read is
    said in a line on standard error, the rest goes on, and the exit code is 1. Addresses are
    fetched as the daemon does: guarded, paced, and where robots.txt allows it. No configuration is
    read unless --config or NEWSFOLD_CONFIG names one: private addresses want its
    fetch.allow_networks.

    \b
    Quick to try a rule for a site:
        newsfold extract --remove .teaser https://example.org/an/article
    """  # noqa: D301 - \b is how click is told to keep lines
    from aggregator.operating.extracting import Wish, extract_all  # noqa: PLC0415 - as said above

    settings = read_settings(config, "extract") if config else Settings()
    wish = Wish(sources, _rules(select, remove, next_page), url)
    failed = 0

    def show(one: "Extracted") -> None:
        nonlocal failed
        bar.update(1)
        failed += one.reading is None
        if one.reading is None:
            click.echo(f"{one.source}: {one.error}", err=True)
        elif as_json:
            click.echo(json.dumps(_as_json(one.source, one.reading), ensure_ascii=False))
        else:
            click.echo(_for_people(one, one.reading))

    # where the pages themselves are on the screen, they show how far it is
    hidden = len(sources) == 1 or sys.stdout.isatty() or not sys.stderr.isatty()
    with click.progressbar(
        length=len(sources), label="Reading", show_pos=True, file=sys.stderr, hidden=hidden
    ) as bar:
        extract_all(wish, settings, show)
    if failed:
        sys.exit(1)


def _rules(select: tuple[str, ...], remove: tuple[str, ...], next_page: str | None) -> "PageRules":
    from feeds.page.page_rules import BadSelectorError, PageRules  # noqa: PLC0415 - as said above

    try:
        return PageRules(select, remove, next_page)
    except BadSelectorError as error:
        fail(str(error), 2)


def _as_json(source: str, page: "PageReading") -> dict[str, object]:
    return {
        "source": source,
        "title": page.title,
        "text": page.text,
        "matching_text": page.matching_text,
        "author": ", ".join(page.authors) or None,
        "publisher": page.publisher,
        "published": _moment(page.published),
        "published_source": page.published_source,
        "modified": _moment(page.modified),
        "language": page.language,
        "canonical_url": page.canonical_url,
        "image": page.image,
        "agency": page.wire.agency if page.wire and page.wire.likely else None,
        "wall": page.wall,
        "quality": page.quality,
        "reasons": list(page.reasons),
    }


def _moment(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _for_people(one: "Extracted", page: "PageReading") -> str:
    published = _moment(page.published)
    wire = page.wire
    facts = {
        "title": page.title,
        "author": ", ".join(page.authors),
        "publisher": page.publisher,
        "published": published and f"{published} (from: {page.published_source})",
        "modified": _moment(page.modified),
        "language": page.language,
        "address": page.url,
        "canonical": page.canonical_url,
        "next page": one.next_page,
        "image": page.image,
        "agency": wire and f"{wire.agency} ({wire.strength:.2f}: {wire.sign})",
        "place": page.place,
        "wall": page.wall,
        "quality": f"{page.quality:.2f}",
        "reasons": "; ".join(page.reasons),
    }
    lines = [f"{name:<11}{value or '-'}" for name, value in facts.items()]
    return "\n".join(
        [
            click.style(one.source, bold=True),
            *lines,
            *_text("text", page.text),
            *_text("matching text", page.matching_text),
        ]
    )


def _text(name: str, text: str) -> list[str]:
    return ["", click.style(f"--- {name}, {len(text.split())} words ---", bold=True), text, ""]
