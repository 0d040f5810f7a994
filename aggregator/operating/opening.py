"""The database as a command finds it, which may be beside a running daemon of another version."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

from aggregator.config.settings import Settings
from aggregator.errors import ApplicationError
from storage.database import Database, StorageError, open_as_it_is


@contextmanager
def open_to_look(settings: Settings) -> Iterator[Database]:
    """The database of an installation; nothing is made or migrated.

    Raises:
        ApplicationError: there is none yet, it cannot be opened, or goes away meanwhile.
    """
    try:
        with closing(open_as_it_is(settings.storage.url)) as database:
            yield database
    except StorageError as error:
        raise ApplicationError(str(error)) from error
