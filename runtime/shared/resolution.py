"""Name resolution that can be given up.

The system's resolver has no time limit that could be set, and cannot be interrupted, so it runs in a thread that is
left alone at the deadline. While it hangs, whoever asks for the same name waits for the same thread: a name server that
does not answer costs one thread a name, however many requests come.
"""

from __future__ import annotations

import socket
import threading

from runtime.shared.deadline import Deadline


class _Lookup:
    """A resolution under way."""

    def __init__(self, host: str, port: int) -> None:
        self._host, self._port = host, port
        self._done = threading.Event()
        self._addresses: list[str] = []
        self._failure: OSError | UnicodeError | None = None

    def run(self) -> None:
        try:
            found = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
            self._addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        except (OSError, UnicodeError) as error:
            self._failure = error
        finally:
            with _LOCK:
                _UNDER_WAY.pop((self._host, self._port), None)
            self._done.set()

    def wait(self, seconds: float) -> list[str]:
        if not self._done.wait(seconds):
            raise TimeoutError(f"{self._host} was not resolved in time")
        if self._failure is not None:
            raise OSError(f"{self._host} cannot be resolved") from self._failure
        return self._addresses


_LOCK = threading.Lock()
_UNDER_WAY: dict[tuple[str, int], _Lookup] = {}


def resolve(host: str, port: int, deadline: Deadline) -> list[str]:
    """Return the host's addresses in the order to try them. Raises OSError, TimeoutError at the deadline."""
    with _LOCK:
        lookup = _UNDER_WAY.get((host, port))
        if lookup is None:
            lookup = _UNDER_WAY[host, port] = _Lookup(host, port)
            threading.Thread(target=lookup.run, name=f"resolve {host}", daemon=True).start()
    return lookup.wait(deadline.remaining())
