"""A listener misses nothing that the station still has, whatever the line does."""

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from runtime.clock import ManualClock
from simulations.alert_stream import EventStream
from tests.unit.simulations.runner_kit import START


class Station(BaseHTTPRequestHandler):
    """Says one event a connection, numbered from the id that it is told, and hangs up."""

    asked: list[tuple[str | None, str | None]] = []  # noqa: RUF012  # of one test

    def do_GET(self):
        last = self.headers.get("Last-Event-ID")
        self.asked.append((last, self.headers.get("Cookie")))
        number = int(last or 41) + 1
        self.send_response(200)
        self.end_headers()
        text = f'retry: 1000\n\nid: {number}\nevent: alert\ndata: {{"n": {number}}}\n\n'
        self.wfile.write(text.encode())

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def port():
    server = HTTPServer(("127.0.0.1", 0), Station)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    thread.join(5)
    server.server_close()


def test_a_broken_stream_goes_on_from_the_last_event(port):
    """With the session's cookie, and each event once."""
    Station.asked = []
    stream = EventStream(host="127.0.0.1", port=port, cookie="a=b", clock=ManualClock(START))
    heard, pauses = [], 0
    while len(heard) < 3:
        pauses += stream.step(0.0) > 0.0
        heard += stream.take()
    stream.close()
    assert [("alert", '{"n": 42}'), ("alert", '{"n": 43}'), ("alert", '{"n": 44}')] == [
        (one.name, one.data) for one in heard
    ]
    assert [(None, "a=b"), ("42", "a=b"), ("43", "a=b")] == Station.asked
    assert pauses == 2
    assert {START} == {one.t_utc for one in heard}
