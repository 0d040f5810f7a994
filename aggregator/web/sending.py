"""Sending a rendered document: the right coding, or that nothing changed."""

from collections.abc import Mapping

from starlette.responses import Response

from aggregator.stages.publish.documents import Document
from feeds.writing.http_cache import IDENTITY, is_not_modified, negotiate_coding
from feeds.writing.output_values import rfc822

_MAX_AGE = 300
"""Seconds a reader may keep a feed without asking: well below any polite poll."""
ARCHIVED = 86400
"""The same for an archive, which never changes, but may be taken down."""


def send_document(
    headers: Mapping[str, str],
    document: Document,
    *,
    private: bool,
    max_age: int = _MAX_AGE,
    link: str | None = None,
) -> Response:
    """Answer a GET or HEAD for ``document``.

    ``private`` keeps it out of shared caches; ``link`` names its hubs and itself.
    """
    coding = coding_for(headers.get("accept-encoding"))
    body, etag = document.codings[coding]
    sent = {
        "Cache-Control": f"{'private' if private else 'public'}, max-age={max_age}",
        "ETag": etag,
        "Last-Modified": rfc822(document.last_modified),
        "Vary": "Accept-Encoding",
    }
    if link is not None:
        sent["Link"] = link
    if is_not_modified(headers, etag, document.last_modified):
        return Response(status_code=304, headers=sent)
    if coding != IDENTITY:
        sent["Content-Encoding"] = coding
    return Response(body, media_type=document.media_type, headers=sent)


def coding_for(accept_encoding: str | None) -> str:
    """The coding in which a document is sent to whoever accepts these."""
    return negotiate_coding(accept_encoding, ("br", "gzip")) or IDENTITY
