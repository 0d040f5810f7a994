"""The API's OpenAPI document: what FastAPI knows, and what it does not: every error, every header.

https://spec.openapis.org/oas/v3.1.1
"""

import json
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import TypeAdapter

from aggregator.version import VERSION
from aggregator.web.api.models import Problem
from aggregator.web.api.problems import MEDIA_TYPE

_INTRODUCTION = """\
Stories, articles and sources as JSON. Everything answers GET and HEAD and changes nothing.

Times are RFC 3339 in UTC. Lists come in pages: give `next` of one as `cursor` of the following.
Parameters that are not named here are errors, so that a misspelt filter never goes unnoticed.
Answers carry an `ETag`: send it back as `If-None-Match` to be told that nothing changed."""
_ERRORS = {
    400: "A parameter is no good, or there is no such parameter; `errors` names each.",
    401: "The site is private: a token is needed.",
    404: "There is no such thing.",
    405: "The method is not allowed: this is read-only.",
    421: "The site is not called what the request calls it.",
    429: "Too many wrong tokens came from this address; wait `Retry-After` seconds.",
    500: "Something went wrong here; the operator's log says what.",
    503: "Too much is asked for at once, or the database cannot be used at the moment; try again "
    "after `Retry-After` seconds.",
}
_AS_TEXT = {421: ("text/plain",), 503: ("text/plain", MEDIA_TYPE)}
"""What may be said before the request reaches the API."""
_SCHEMAS = {
    MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}},
    "text/plain": {"schema": {"type": "string"}},
}
_CACHING = {
    "ETag": ("Names the very bytes of the answer.", '"3f1c0a9b"'),
    "Cache-Control": ("How long the answer keeps.", "public, max-age=60"),
}
_OF_ERRORS = {
    401: {"WWW-Authenticate": ("How to show the token.", 'Basic realm="news"')},
    405: {"Allow": ("The methods that are.", "GET, HEAD")},
    429: {"Retry-After": ("Seconds to wait.", "3")},
    503: {"Retry-After": ("Seconds to wait.", "10")},
}
_SECURITY = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "`server.read_token` as a bearer token: the way for programs.",
    },
    "basic": {
        "type": "http",
        "scheme": "basic",
        "description": "`server.read_token` as the password of any user: the way for browsers.",
    },
    "query": {
        "type": "apiKey",
        "in": "query",
        "name": "token",
        "description": "`server.read_token` in the address, for programs that know nothing else.",
    },
}


@dataclass(frozen=True, slots=True)
class OpenApiDocument:
    """The document, and the same as bytes."""

    described: dict[str, Any]
    encoded: bytes


def complete(app: FastAPI, *, private: bool) -> OpenApiDocument:
    """The document of ``app``. A ``private`` site asks for a token, and says so."""
    described = get_openapi(
        title="Newsfold",
        version=VERSION,
        description=_INTRODUCTION,
        routes=app.routes,
        servers=[{"url": "/api", "description": "This site."}],
    )
    schemas = described["components"]["schemas"]
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schemas["Problem"] = _problem_schema(schemas)
    for operations in described["paths"].values():
        for operation in operations.values():
            _complete(operation)
    if private:
        described["components"]["securitySchemes"] = _SECURITY
        described["security"] = [{name: []} for name in _SECURITY]
    return OpenApiDocument(described, json.dumps(described, ensure_ascii=False).encode())


def _problem_schema(schemas: dict[str, Any]) -> dict[str, Any]:
    template = "#/components/schemas/{model}"
    schema = TypeAdapter(Problem).json_schema(ref_template=template, mode="serialization")
    schemas.update(schema.pop("$defs"))
    return schema


def _complete(operation: dict[str, Any]) -> None:
    operation["summary"], _, rest = operation.pop("description").partition(". ")
    operation["summary"] = operation["summary"].rstrip(".") + "."
    if rest:
        operation["description"] = rest
    responses = operation["responses"]
    responses.pop("422", None)
    responses["200"] |= {"description": "The answer.", "headers": _headers(_CACHING)}
    responses["304"] = {
        "description": "Nothing changed since the answer that `If-None-Match` names.",
        "headers": _headers(_CACHING),
    }
    if operation["operationId"] == "story":
        responses["301"] = {
            "description": "The story became part of another. That can be undone.",
            "headers": _headers({"Location": ("That story's address, relative.", "p8s2w4r6t1")}),
        }
    for status, description in _ERRORS.items():
        responses[str(status)] = {
            "description": description,
            "content": {kind: _SCHEMAS[kind] for kind in _AS_TEXT.get(status, (MEDIA_TYPE,))},
            "headers": _headers(_OF_ERRORS.get(status, {})),
        }
    operation["responses"] = dict(sorted(responses.items()))


def _headers(named: dict[str, tuple[str, str]]) -> dict[str, Any]:
    return {
        name: {"description": description, "schema": {"type": "string"}, "example": example}
        for name, (description, example) in named.items()
    }
