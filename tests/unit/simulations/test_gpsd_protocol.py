"""What clients may send to the built-in gpsd, without a socket."""

from types import SimpleNamespace

import pytest

from simulations import gpsd_json
from simulations.gpsd_protocol import Talk


@pytest.mark.parametrize("name", ["[]", "[1]", "3", "null"])
def test_a_watch_whose_names_are_no_words_ends_nobodys_server(name):
    """A client's nonsense is answered like any request; it does not end the worker."""
    daemon = SimpleNamespace(
        dialect=gpsd_json.Dialect(), device=gpsd_json.Device, open_device=lambda: None
    )
    talk = Talk(daemon)
    said = talk.receive(f"?WATCH={{{name}:true}};".encode())
    assert [line.partition(",")[0] for line in said] == ['{"class":"DEVICES"', '{"class":"WATCH"']
    assert talk.watch.enable
