"""The page and the station speak of the same shapes, and the page's lock file names no machine."""

import importlib.util
import json
import re
from pathlib import Path

from ground_station import api_alerts, api_events, api_read, api_session

WEB = Path(__file__).resolve().parents[2] / "ground_station" / "web"


def test_page_types_are_those_of_the_station() -> None:
    """The committed TypeScript is what the station's models make; run make_api_types.py to renew it."""
    spec = importlib.util.spec_from_file_location("make_api_types", WEB / "make_api_types.py")
    assert spec is not None and spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    assert script.render() == (WEB / "src" / "api-types.ts").read_text(encoding="utf-8")


def test_page_asks_only_for_what_the_station_offers() -> None:
    """Every path in the page's source is a route of the station's, with the same method."""
    offered = {
        (method, re.sub(r"{[^}]*}", "*", route.path))
        for router in (api_session.router, api_alerts.router, api_read.router, api_events.router)
        for route in router.routes
        for method in getattr(route, "methods", ())
    }
    source = "\n".join(path.read_text(encoding="utf-8") for path in WEB.glob("src/**/*.ts*"))
    asked = {
        (method.upper(), "/api/v1/" + path.split("?")[0])
        for method, path in re.findall(r'api\.(get|post)(?:<[^(]*>)?\("([^"]+)"', source)
    }
    acts = set(re.findall(r'\bact\([\w.]+, "(\w+)"', source))
    asked |= {("POST", f"/api/v1/alerts/*/{verb}") for verb in acts}
    asked |= {
        ("GET", re.sub(r"\${[^}]*}", "*", path))
        for path in re.findall(r'["`](/api/v1/(?:events|media|source)[^"`]*)["`]', source)
    }
    assert {"acknowledge", "assign", "close", "reopen"} == acts
    assert len(asked) >= 13
    assert set() == asked - offered


def test_lock_file_names_no_registry() -> None:
    """Whoever builds uses their own registry: `resolved` would pin somebody else's."""
    lock = json.loads((WEB / "package-lock.json").read_text(encoding="utf-8"))
    assert [] == [name for name, row in lock["packages"].items() if "resolved" in row]
    assert [] == [
        name for name, row in lock["packages"].items() if name and not row.get("integrity")
    ]


def test_page_needs_no_machine_but_its_own() -> None:
    """No address of another host stands in the page's source."""
    allowed = {"http://www.w3.org/2000/svg"}
    found = [
        (path.name, word)
        for path in [*WEB.glob("src/**/*"), WEB / "index.html"]
        if path.suffix in {".ts", ".tsx", ".css", ".html"}
        for word in path.read_text(encoding="utf-8").replace('"', " ").split()
        if word.startswith(("http://", "https://", "//cdn")) and word not in allowed
    ]
    assert [] == found
