"""Schemathesis over the whole API: whatever fits the schema, or does not, is answered as promised."""

import random
import warnings

import pytest

from ground_station.app import build
from ground_station.config import GroundConfig
from ground_station.store import Store
from runtime.clock import ManualClock
from runtime.ids import UlidSource
from runtime.settings import SecretFile
from tests.station_kit import SITE_ID, START, Speaker, Wire, at, crossing, write_site
from wire.signing import SigningKey

schemathesis = pytest.importorskip("schemathesis")

EXAMPLES = 12
LEFT_OUT = {
    "/api/v1/events",  # It has no end; the unit tests read it.
    "/api/v1/logout",  # It would end the login that this test uses.
}
PASSWORD = "một câu dài dễ nhớ"

PAIRS = {"/api/v1/site", "/api/v1/nodes"}
"""Their schemas hold pairs of numbers (`prefixItems` of JSON Schema 2020-12), which schemathesis
rewrites to an older form and then refuses; FastAPI validates these answers by their models."""


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A station with a login, one alert, one node; nothing runs but what the test steps."""
    folder = tmp_path_factory.mktemp("fuzz")
    config = GroundConfig.model_validate(
        {
            "station": {
                "site_id": SITE_ID,
                "site_file": write_site(folder),
                "data_dir": folder / "data",
                "signing_key_file": SecretFile(folder / "station.key"),
            }
        }
    )
    clock = ManualClock(START)
    store, wire = Store(config.database_url), Wire(clock)
    store.migrate()
    station = build(
        config,
        clock=clock,
        ids=UlidSource(clock, random.Random(3)),
        transport=wire,
        store=store,
        key=SigningKey.generate(),
    )
    station.people.add_user(
        name="admin", display_name="", role="administrator", password=PASSWORD, actor="test"
    )
    speaker = Speaker()
    for message in (speaker.birth(START), speaker.state(START)):
        wire.push(*message)
    clock.advance(30.0)
    for t_s, body in crossing(track=1):
        wire.push(*speaker.obs(body, at(t_s)))
    station.workers[0][0].step(clock.monotonic_s())
    login = station.people.login(name="admin", password=PASSWORD, address="127.0.0.1")
    yield station, login
    station.hub.close()
    store.close()


@pytest.mark.parametrize("mode", ["POSITIVE", "NEGATIVE"])
def test_api_keeps_its_word(served, mode):
    """Whatever input fits or does not: no server error, only answers that the document promises."""
    from hypothesis import HealthCheck, Phase, given, settings
    from hypothesis.errors import Unsatisfiable
    from schemathesis.generation import GenerationMode
    from schemathesis.specs.openapi.checks import (
        content_type_conformance,
        negative_data_rejection,
        response_schema_conformance,
        status_code_conformance,
    )

    station, login = served
    schema = schemathesis.openapi.from_asgi(
        "/api/openapi.json", station.app, headers={"Host": "127.0.0.1"}
    )
    headers = {
        "Host": "127.0.0.1",
        "Cookie": f"bw_session={login.token}",
        "X-CSRF-Token": login.session.csrf_token,
    }
    checks = [
        schemathesis.checks.not_a_server_error,
        status_code_conformance,
        content_type_conformance,
        negative_data_rejection,
        response_schema_conformance,
    ]
    seen = []
    for found in schema.get_all_operations():
        operation = found.ok()
        if operation.path in LEFT_OUT:
            continue
        strategy = operation.as_strategy(generation_mode=GenerationMode[mode])

        @settings(
            max_examples=EXAMPLES,
            deadline=None,
            database=None,
            derandomize=True,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=strategy)
        def check(case):
            response = case.call(headers=headers)
            if response.status_code != 503:  # A command while the broker is away is no fault.
                case.validate_response(
                    response, checks=checks[: -1 if case.path in PAIRS else None]
                )

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                check()
            except Unsatisfiable:
                continue  # An operation without any input has nothing to get wrong.
        seen.append(operation.label)
    assert len(seen) >= (14 if mode == "POSITIVE" else 7), seen
