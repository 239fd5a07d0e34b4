"""What can be read: nodes, targets, the site, pictures, the source; and one picture on request."""

import io
import tarfile
from functools import cache
from pathlib import Path as FilePath
from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import FileResponse, Response

from ground_station import metrics
from ground_station.api_base import (
    PartsDep,
    PostingDep,
    Refusal,
    SessionDep,
    client_address,
    need,
    not_found,
    problems,
)
from ground_station.config import is_loopback
from ground_station.store import StoreUnavailable, intake
from ground_station.views import (
    AboutView,
    CommandView,
    HealthView,
    NodeView,
    SiteView,
    StillBody,
    TargetView,
    VehicleView,
)
from wire.values import NAME_PATTERN, ULID_PATTERN, rfc3339_ms

router = APIRouter(tags=["read"])
BASEMAP_URL = "/basemap/site.pmtiles"
SOURCE_URL = "/api/v1/source"
LICENCE = "AGPL-3.0-or-later"
_PACKAGES = (
    "wire", "geo", "runtime", "hardware", "models", "edge", "ground_station", "simulations",
)  # fmt: skip
_SOURCE_SUFFIXES = {
    ".py", ".pyi", ".typed", ".mako", ".ts", ".tsx", ".css", ".html", ".svg", ".json", ".toml", ".md", ".txt",
    ".cfg", ".service", ".geojson",
}  # fmt: skip
_BESIDE = (
    "LICENSE", "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "setup.cfg", "pyproject.toml",
    "Makefile", ".gitignore", ".pre-commit-config.yaml",
)  # fmt: skip
_SCRIPTS = ".ci"
"""What the Makefile calls; files without a suffix."""
_SKIPPED = {"node_modules", "__pycache__", "static", "weights"}


@router.get("/api/v1/health", responses={503: {"model": HealthView}})
def health(parts: PartsDep, response: Response) -> HealthView:
    """Whether the station works; open to everybody."""
    database = True
    try:
        with parts.store.read() as tx:
            intake.get_media(tx, "")
    except StoreUnavailable:
        database = False
    stale = [beat.name for beat in parts.supervisor.beats() if beat.stale]
    connected = parts.desk.broker_connected
    good = database and connected and not stale
    response.status_code = 200 if good else 503
    return HealthView(
        status="ok" if good else "degraded",
        t_utc=rfc3339_ms(parts.clock.utc()),
        version=parts.version,
        database=database,
        broker_connected=connected,
        workers_stale=stale,
    )


@router.get("/api/v1/nodes", responses=problems(401, 503))
def nodes(_session: SessionDep, parts: PartsDep) -> list[NodeView]:
    """All nodes with their cameras."""
    return parts.desk.nodes()


@router.get("/api/v1/vehicles", responses=problems(401, 503))
def vehicles(_session: SessionDep, parts: PartsDep) -> list[VehicleView]:
    """All drones, with what their cameras see of the ground."""
    return parts.desk.vehicles()


@router.get("/api/v1/targets", responses=problems(401, 503))
def targets(_session: SessionDep, parts: PartsDep) -> list[TargetView]:
    """All targets that are shown now."""
    return parts.desk.targets()


@router.get("/api/v1/site", responses=problems(401, 503))
def site(_session: SessionDep, parts: PartsDep) -> SiteView:
    """Line, zones, markers and places."""
    simulated = any(node.simulated for node in parts.desk.nodes())
    return parts.site.model_copy(update={"simulated": simulated})


@router.get(
    "/api/v1/media/{media_id}",
    response_class=FileResponse,
    responses=problems(401, 404, 422, 503)
    | {200: {"content": {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}}}},
)
def media(
    media_id: Annotated[str, Path(pattern=ULID_PATTERN)], _session: SessionDep, parts: PartsDep
) -> FileResponse:
    """One picture."""
    with parts.store.read() as tx:
        found = intake.get_media(tx, media_id)
    path = None if found is None else parts.pictures.path(found.sha256)
    if path is None or not path.is_file():
        raise not_found("media_id", media_id)
    return FileResponse(
        path, media_type="image/jpeg", headers={"Cache-Control": "private, max-age=86400"}
    )


@router.post(
    "/api/v1/nodes/{node_id}/still",
    status_code=202,
    responses=problems(400, 401, 403, 404, 422, 503),
)
def still(
    node_id: Annotated[str, Path(pattern=NAME_PATTERN)],
    body: StillBody,
    session: PostingDep,
    parts: PartsDep,
) -> CommandView:
    """Ask a camera for one picture now."""
    need(session, "command_sensors")
    if not parts.desk.has_sensor(node_id, body.sensor_id):
        raise not_found("sensor_id", f"{node_id}/{body.sensor_id}")
    return parts.commander.still(
        node_id=node_id, sensor_id=body.sensor_id, operator=session.user.name
    )


@router.get("/api/v1/commands/{command_id}", responses=problems(401, 404, 422, 503))
def command(
    command_id: Annotated[str, Path(pattern=ULID_PATTERN)], _session: SessionDep, parts: PartsDep
) -> CommandView:
    """What a node answered to a command."""
    found = parts.commander.view(command_id)
    if found is None:
        raise not_found("command_id", command_id)
    return found


@router.get("/api/v1/about")
def about(parts: PartsDep) -> AboutView:
    """What runs here, and under which licence."""
    return AboutView(
        name="Border Watch",
        version=parts.version,
        licence=LICENCE,
        source_url=SOURCE_URL,
        notices=list(parts.site.attribution),
    )


@cache
def source_archive(root: FilePath, version: str) -> bytes:
    """The source of the running version as a gzipped tar; made once, it does not change.

    Args:
        root: the folder that holds the packages.
        version: names the folder inside.
    """
    files = [root / name for name in _BESIDE]
    # Beside an installed wheel, a folder `docs` would be somebody else's.
    beside = (_SCRIPTS, "docs") if (root / "Makefile").is_file() else ()
    for package in (*_PACKAGES, *beside):
        files += sorted((root / package).rglob("*"))
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for path in files:
            inner = path.relative_to(root)
            known = (
                path.suffix in _SOURCE_SUFFIXES
                or path.name in {*_BESIDE, ".npmrc"}
                or inner.parts[0] == _SCRIPTS
            )
            if not known or not path.is_file() or _SKIPPED & set(inner.parts):
                continue
            info = tarfile.TarInfo(f"border-watch-{version}/{inner.as_posix()}")
            data = path.read_bytes()
            info.size = len(data)
            info.mode = 0o755 if path.stat().st_mode & 0o100 else 0o644
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


@router.get(
    SOURCE_URL,
    response_class=Response,
    responses={
        200: {"content": {"application/gzip": {"schema": {"type": "string", "format": "binary"}}}}
    },
)
def source(parts: PartsDep) -> Response:
    """The source of the running version, for everybody who uses it (AGPL, section 13)."""
    root = FilePath(__file__).resolve().parent.parent
    return Response(
        source_archive(root, parts.version),
        media_type="application/gzip",
        headers={
            "Content-Disposition": f'attachment; filename="border-watch-{parts.version}.tar.gz"'
        },
    )


@router.get(BASEMAP_URL, include_in_schema=False)
def basemap(_session: SessionDep, parts: PartsDep) -> FileResponse:
    """The base map; read in pieces by Range."""
    path = parts.config.station.basemap_file
    if path is None or not path.is_file():
        raise not_found("basemap_file", "of [station]")
    return FileResponse(
        path,
        media_type="application/vnd.pmtiles",
        headers={"Cache-Control": "private, max-age=3600"},
    )


@router.get("/metrics", include_in_schema=False)
def metrics_text(request: Request, parts: PartsDep) -> Response:
    """Figures for a monitoring system."""
    if not parts.config.http.metrics_from_lan and not is_loopback(client_address(request)):
        raise Refusal(
            403,
            "loopback",
            "Only from this machine",
            "/metrics answers on loopback only",
            field="http.metrics_from_lan",
            allowed="true, to answer beyond loopback",
            next_step="change the config and restart",
        )
    parts.desk.refresh_metrics()
    for beat in parts.supervisor.beats():
        parts.metrics.worker_age_s.labels(worker=beat.name).set(max(0.0, beat.age_s))
        parts.metrics.worker_restarts.labels(worker=beat.name).set(beat.restarts)
    return Response(parts.metrics.text(), media_type=metrics.CONTENT_TYPE)
