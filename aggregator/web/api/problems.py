"""Errors of the API as RFC 9457 describes them. None says more than whoever asked may know."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from aggregator.web.api.models import Fault, Problem
from aggregator.web.front import NoSuchPageError
from storage.database import StorageTroubleError

MEDIA_TYPE = "application/problem+json"
METHODS = "GET, HEAD"
NO_SUCH_PLACE = "The cursor leads nowhere: it is of another list, or of none."
_NOT_KEPT = {"Cache-Control": "no-store"}
_LATER = {"Retry-After": "10"}
_SAID = {
    404: "There is no such thing.",
    405: "This is read-only: GET and HEAD.",
    500: "Something went wrong here; the operator's log says what.",
    503: "The database cannot be used at the moment; try again shortly.",
}
_log = structlog.get_logger()


def problem(
    status: int,
    detail: str = "",
    *,
    errors: Sequence[Fault] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The answer that something is wrong."""
    said = Problem(
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail or _SAID.get(status, ""),
        errors=tuple(errors),
    )
    return Response(
        said.model_dump_json(), status, dict(headers or {}) | _NOT_KEPT, media_type=MEDIA_TYPE
    )


def add_problems(app: FastAPI) -> None:
    """Let every error of ``app`` be a problem."""
    app.exception_handler(HTTPException)(_http)
    app.exception_handler(RequestValidationError)(_invalid)
    app.exception_handler(NoSuchPageError)(_nowhere)
    app.exception_handler(StorageTroubleError)(_trouble)
    app.exception_handler(Exception)(_broken)


async def _http(_: Request, error: HTTPException) -> Response:
    headers = {"Allow": METHODS} if error.status_code == 405 else error.headers
    named = error.detail if error.detail != HTTPStatus(error.status_code).phrase else ""
    return problem(error.status_code, named, headers=headers)


async def _invalid(_: Request, error: RequestValidationError) -> Response:
    faults = [_fault(one) for one in error.errors()]
    if any(one["loc"][0] == "path" for one in error.errors()):
        return problem(404)
    return problem(400, "; ".join(f"{f.where}: {f.message}" for f in faults), errors=faults)


def _fault(error: Mapping[str, object]) -> Fault:
    places = error["loc"]
    where = str(places[-1])[:100] if isinstance(places, tuple) else ""
    if error["type"] == "extra_forbidden":
        return Fault(where=where, message="there is no such parameter here")
    return Fault(where=where, message=str(error["msg"]).removeprefix("Value error, "))


async def _nowhere(_: Request, __: NoSuchPageError) -> Response:
    return problem(404, NO_SUCH_PLACE)


async def _trouble(_: Request, error: StorageTroubleError) -> Response:
    _log.warning("answered", outcome="put off", error=str(error))
    return problem(503, headers=_LATER)


async def _broken(_: Request, __: Exception) -> Response:
    return problem(500)
