"""What an installation's facts mean, and what to do about them. Pure; ``doctor`` gathers the facts.

A check is ``ok``, a ``warning`` (it works, and somebody should know) or ``failed``.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Literal
from urllib.parse import urlsplit

from aggregator.operating.amounts import about, size
from feeds.http.guard import Guard
from feeds.model import FailureKind, FetchFailure, FetchOutcome, Response

State = Literal["ok", "warning", "failed"]
LEAST_FREE = 200_000_000
"""Bytes below which a disk is as good as full."""
LEAST_NODES = 1_000
"""Files that must still fit: SQLite's journal, backups, temporary files."""
TOLERATED_SKEW = timedelta(minutes=2)
CERTIFICATE_LEFT = timedelta(days=14)
_BUILT = datetime.fromisoformat("2026-01-01T00:00:00+00:00")
"""No clock that is right shows an earlier time."""
_NETWORK_FILESYSTEMS = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "fuse.sshfs", "fuse.s3fs"}


@dataclass(frozen=True, slots=True)
class Check:
    """What was looked at, how it is, what was found, and what to do (empty: nothing)."""

    about: str
    state: State
    found: str
    advice: str = ""

    def as_json(self) -> dict[str, str]:
        """For programs."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Disk:
    """A file system. Sizes in bytes; ``nodes`` is how many files still fit, None: without end."""

    path: str
    free: int
    total: int
    nodes: int | None
    kind: str = ""


def disk(found: Disk, database_bytes: int) -> Check:
    """Whether there is room for the database to grow, and for a copy of it."""
    words = f"{size(found.free)} of {size(found.total)} free at {found.path}"
    if found.free < LEAST_FREE or (found.nodes is not None and found.nodes < LEAST_NODES):
        what = "" if found.free < LEAST_FREE else f", room for {found.nodes} files only"
        return Check(
            "disk",
            "failed",
            words + what,
            "make room; what is fetched meanwhile is not lost, but waits",
        )
    if found.free < 2 * database_bytes:
        return Check(
            "disk",
            "warning",
            f"{words}; the database has {size(database_bytes)}",
            "a backup beside it would hardly fit: make room, or write backups elsewhere",
        )
    return Check("disk", "ok", words)


def file_system(found: Disk) -> Check | None:
    """Whether SQLite's locks can be relied on where the file is; None where nothing is wrong."""
    if found.kind not in _NETWORK_FILESYSTEMS:
        return None
    return Check(
        "database",
        "warning",
        f"{found.path} is on a network file system ({found.kind}), whose locks SQLite cannot trust",
        "keep the file on a disk of this machine, or use PostgreSQL",
    )


def clock(now: datetime, remembered: datetime | None, told: Sequence[datetime]) -> Check:
    """Whether the clock is right: against what is remembered, and what servers just said.

    ``remembered`` is the latest moment in the database that is past; ``told`` are ``Date`` headers.
    """
    advice = "let the machine keep its time by NTP (timedatectl set-ntp true)"
    if now < _BUILT:
        return Check("clock", "failed", f"it says {now:%Y-%m-%d}, which is past", advice)
    if remembered and remembered - now > TOLERATED_SKEW:
        ahead = about(remembered - now)
        return Check(
            "clock", "failed", f"it was set back: the last poll lies {ahead} in the future", advice
        )
    differences = sorted((moment - now for moment in told), key=abs)
    if not differences:
        return Check("clock", "ok", f"it says {now:%Y-%m-%d %H:%M:%S} UTC; no server told its own")
    middle = differences[len(differences) // 2]
    if abs(middle) > TOLERATED_SKEW:
        way = "behind" if middle > timedelta(0) else "ahead of"
        return Check(
            "clock", "failed", f"it is {about(abs(middle))} {way} what servers say", advice
        )
    return Check("clock", "ok", f"within {about(abs(middle) + timedelta(seconds=1))} of servers'")


def network(outcomes: Sequence[FetchOutcome]) -> Iterator[Check]:
    """Whether hosts of sources can be reached, and prove who they are."""
    failures = [one for one in outcomes if isinstance(one, FetchFailure)]
    if not outcomes:
        yield Check("network", "ok", "not tried: there is no source to ask")
        return
    reached = len(outcomes) - len(failures)
    words = f"{reached} of {len(outcomes)} hosts of sources answered"
    details = "; ".join(map(_told, failures))
    if reached and failures:
        yield Check("network", "warning", f"{words} ({details})", "the others may be down just now")
    elif failures:
        yield Check("network", "failed", f"{words} ({details})", _way_out(failures))
    else:
        yield Check("network", "ok", words)
    untrusted = [one for one in failures if one.kind is FailureKind.TLS]
    if untrusted and len(untrusted) == len(failures):
        yield Check(
            "certificates",
            "failed" if not reached else "warning",
            "servers cannot prove who they are to this machine",
            "install the system's certificates (package ca-certificates), and see to the clock",
        )


def _told(failure: FetchFailure) -> str:
    host = urlsplit(failure.url).hostname or failure.url
    return failure.detail if host in failure.detail else f"{host}: {failure.detail}"


def _way_out(failures: Sequence[FetchFailure]) -> str:
    kinds = {failure.kind for failure in failures}
    if kinds == {FailureKind.DNS}:
        return "names are not resolved: look at /etc/resolv.conf, and at the container's network"
    if FailureKind.FORBIDDEN_ADDRESS in kinds:
        return "private addresses need fetch.allow_networks; see docs/configuration.md"
    return "look at firewall, proxy and routes: curl -I https://example.org"


def certificates(roots: int, where: str) -> Check:
    """Whether this machine knows certificate authorities at all."""
    if not roots:
        return Check(
            "certificates",
            "failed",
            f"no certificate authority is known ({where})",
            "install the package ca-certificates, or set SSL_CERT_FILE",
        )
    return Check("certificates", "ok", f"{roots} certificate authorities known")


def public_address(base_url: str, *, daemon: bool, answer: FetchOutcome) -> Check:
    """Whether subscribers can use the address that feeds and pages name.

    ``daemon``: whether one runs that should answer; ``answer`` is that of ``/healthz`` there.
    """
    parts = urlsplit(base_url)
    host = parts.hostname or ""
    if isinstance(answer, Response) and answer.status == 200 and b'"status"' in answer.body:
        private = _is_private(host)
        if private:
            return Check(
                "address",
                "warning",
                f"{base_url} answers, and is {private}",
                "others cannot read the feeds there: set server.base_url to a public address",
            )
        if parts.scheme == "http":
            return Check(
                "address",
                "warning",
                f"{base_url} answers, without TLS",
                "put a reverse proxy with a certificate before it, and set server.base_url",
            )
        return Check("address", "ok", f"{base_url} answers")
    if not daemon:
        return Check("address", "ok", f"{base_url} does not answer: no daemon runs")
    if isinstance(answer, Response):
        found = f"{base_url} answers {answer.status}, and not as Newsfold does"
    else:
        found = f"{base_url} does not answer: {answer.detail}"
    return Check(
        "address",
        "failed",
        found,
        "server.base_url must lead to server.listen: look at the reverse proxy and the DNS",
    )


def _is_private(host: str) -> str:
    """What kind of address that others cannot reach; empty for one that they may."""
    if host == "localhost" or host.endswith((".localhost", ".local", ".internal", ".lan")):
        return "this machine's or this network's own"
    try:
        ip_address(host)
    except ValueError:
        return ""
    refusal = Guard().refusal(host)
    return refusal.partition(" is ")[2] if refusal else ""


def own_certificate(host: str, ends: datetime, now: datetime) -> Check:
    """How long the certificate of the public address is good for."""
    left = ends - now
    found = f"that of {host} is good until {ends:%Y-%m-%d}"
    if left < timedelta(0):
        return Check("certificates", "failed", f"that of {host} ended {ends:%Y-%m-%d}", "renew it")
    if left < CERTIFICATE_LEFT:
        return Check("certificates", "warning", found, "see that it is renewed by itself")
    return Check("certificates", "ok", found)


def open_files(allowed: int, wanted: int) -> Check:
    """Whether so many connections may be open as the configuration lets there be."""
    if allowed < wanted:
        return Check(
            "limits",
            "warning",
            f"{allowed} open files are allowed; clients and fetches may take {wanted}",
            "raise it (ulimit -n, LimitNOFILE of the unit), or lower server.max_connections",
        )
    return Check("limits", "ok", f"{allowed} open files are allowed, {wanted} may be needed")


def secrets_readable(path: str, mode: int) -> Check | None:
    """Whether others on this machine can read a file that holds secrets; None if they cannot."""
    if not mode & 0o007:
        return None
    return Check(
        "permissions",
        "warning",
        f"{path} holds secrets, and everybody on this machine can read it ({mode & 0o777:o})",
        f"chmod o= {path}, or keep them in files of their own (token_file, password_file)",
    )
