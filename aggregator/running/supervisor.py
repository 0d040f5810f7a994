"""Telling systemd that the daemon is up, alive or stopping (sd_notify(3)); silent without one."""

import socket
from collections.abc import Mapping


class Supervisor:
    """Whoever started this process and wants to know how it is."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._address = environment.get("NOTIFY_SOCKET", "")
        self._watchdog = environment.get("WATCHDOG_USEC", "")

    @property
    def pause(self) -> float | None:
        """Seconds between two signs of life, None where nobody waits for them.

        A third of the patience: two may be lost.
        """
        return int(self._watchdog) / 3e6 if self._address and self._watchdog.isdecimal() else None

    def ready(self, status: str) -> None:
        """The daemon serves; ``status`` is a line for people."""
        self._tell(f"READY=1\nSTATUS={status}")

    def alive(self) -> None:
        """The event loop turns."""
        self._tell("WATCHDOG=1")

    def stopping(self) -> None:
        """The daemon ends in order."""
        self._tell("STOPPING=1\nSTATUS=Stopping")

    def _tell(self, state: str) -> None:
        if not self._address:
            return
        # "@" stands for the null byte of an abstract socket.
        address = "\0" + self._address[1:] if self._address[0] == "@" else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
                channel.setblocking(False)
                channel.connect(address)
                channel.send(state.encode())
        except OSError:  # it is told what helps it; whether it listens is its own business
            return
