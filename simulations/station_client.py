"""The little of the station's HTTP that the demonstration asks: is it up, is the node up."""

import http.cookiejar
import json
import urllib.error
import urllib.request
from typing import Any

_TIMEOUT_S = 5.0


class StationClient:
    """Speaks to a station on loopback as a user does.

    Args:
        base_url: such as ``http://127.0.0.1:8080``.
    """

    def __init__(self, base_url: str) -> None:
        self._base = base_url
        self._cookies = http.cookiejar.CookieJar()
        jar = urllib.request.HTTPCookieProcessor(self._cookies)
        # No proxy: the station is on this machine, whatever the environment says.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), jar)

    def alive(self) -> bool:
        """Return whether the station answers its health."""
        try:
            self._ask("/api/v1/health")
        except (urllib.error.URLError, OSError):
            return False
        return True

    def login(self, user: str, password: str) -> None:
        """Open a session."""
        self._ask("/api/v1/login", {"user": user, "password": password})

    @property
    def cookie(self) -> str:
        """The session as a header's value, for whoever reads the event stream."""
        return "; ".join(f"{one.name}={one.value}" for one in self._cookies)

    def metric(self, name: str) -> float:
        """Return a figure of the station's own account by its name, 0 when it was never counted."""
        with self._opener.open(self._base + "/metrics", timeout=_TIMEOUT_S) as answer:
            lines = answer.read().decode().splitlines()
        found = [line.split()[1] for line in lines if line.split(" ")[0] == name]
        return float(found[0]) if found else 0.0

    def nodes(self) -> list[dict[str, Any]]:
        """Return the nodes as the page sees them; empty while the station is busy."""
        try:
            found: list[dict[str, Any]] = self._ask("/api/v1/nodes")
        except (urllib.error.URLError, OSError):
            return []
        return found

    def alerts(self) -> list[dict[str, Any]]:
        """Return the alerts as the page sees them."""
        found: list[dict[str, Any]] = self._ask("/api/v1/alerts")
        return found

    def _ask(self, path: str, body: dict[str, Any] | None = None) -> Any:
        request = urllib.request.Request(  # noqa: S310  # the address is ours, http on loopback
            self._base + path,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        with self._opener.open(request, timeout=_TIMEOUT_S) as answer:
            return json.loads(answer.read() or b"null")
