"""Since when each document of an output has had the bytes it has."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from sqlalchemy import delete, select

from storage.chunks import chunks
from storage.database import Database
from storage.tables.output import renditions
from storage.upsert import insert

_CLOCKS_DIFFER = timedelta(days=1)


def settle_renditions(
    db: Database,
    output: str,
    digests: Mapping[tuple[int, str], str],
    changed_at: datetime,
    now: datetime,
    *,
    only_look: bool = False,
) -> dict[tuple[int, str], datetime]:
    """Since when each document (page and format) has had these bytes. Kept across restarts.

    For other bytes than before that is ``changed_at``, when what they show changed, unless that is
    no later than they were: then only the configuration or the program changed them, ``now``.
    One far ahead of now was a wrong clock's, and becomes now (RFC 9110, 8.8.2.1).
    Documents that are no more are forgotten. ``only_look`` writes nothing of it.
    """
    of_output = renditions.c.output == output
    with db.read() as connection:
        rows = connection.execute(select(renditions).where(of_output)).all()
    known = {(row.page, row.form): (row.digest, row.changed_at) for row in rows}
    fresh: dict[tuple[int, str], datetime] = {}
    for key, digest in digests.items():
        if key not in known or known[key][1] > now + _CLOCKS_DIFFER:
            fresh[key] = changed_at if changed_at <= now + _CLOCKS_DIFFER else now
        elif known[key][0] != digest:
            before = known[key][1]
            later = changed_at if changed_at > before else now
            # HTTP counts in seconds, and two changes within one must differ.
            fresh[key] = max(later, before + timedelta(seconds=1))
    gone = known.keys() - digests.keys()
    if (fresh or gone) and not only_look:
        _write_renditions(db, output, {key: (digests[key], at) for key, at in fresh.items()}, gone)
    return {key: fresh[key] if key in fresh else known[key][1] for key in digests}


def _write_renditions(
    db: Database,
    output: str,
    fresh: Mapping[tuple[int, str], tuple[str, datetime]],
    gone: Iterable[tuple[int, str]],
) -> None:
    with db.write() as connection:
        for page, form in [*fresh, *gone]:
            connection.execute(
                delete(renditions).where(
                    renditions.c.output == output,
                    renditions.c.page == page,
                    renditions.c.form == form,
                )
            )
        rows = [
            {"output": output, "page": page, "form": form, "digest": digest, "changed_at": at}
            for (page, form), (digest, at) in fresh.items()
        ]
        for some in chunks(rows):
            connection.execute(insert(connection, renditions).on_conflict_do_nothing(), some)
