"""A demonstration ends in order however it is told to end."""

import os
import signal

import pytest

from runtime.errors import AskOperator
from simulations import demo


@pytest.fixture
def started(request):
    """The signal as a process started in this way has it; put back afterwards."""
    number, handler = request.param
    before = signal.signal(number, handler)
    yield number, handler
    signal.signal(number, before)


@pytest.mark.parametrize(
    ("started", "heard"),
    [
        ((signal.SIGINT, signal.SIG_DFL), True),
        ((signal.SIGTERM, signal.SIG_DFL), True),
        ((signal.SIGHUP, signal.SIG_DFL), True),
        ((signal.SIGHUP, signal.SIG_IGN), False),  # under nohup
    ],
    indirect=["started"],
)
def test_every_way_of_ending_it_asks_it_to_stop(monkeypatch, tmp_path, started, heard):
    """Ctrl-C, a service manager and a closed terminal are heard alike, and only while it runs."""
    number, before = started
    during = []

    def no_studio(_name, *, clock, gpsd):
        during.append((signal.getsignal(number), clock))
        assert gpsd == "built_in"
        raise AskOperator(field="scenario", value="x", allowed="none here", next_step="none")

    monkeypatch.setattr(demo, "Studio", no_studio)
    show = demo.Demo(
        scenario_name="x",
        work=tmp_path,
        browser=False,
        station_port=0,
        environment=dict(os.environ),
    )
    with pytest.raises(AskOperator):
        show.run()
    expected = show._ask_to_stop if heard else before
    assert [expected] == [handler for handler, _clock in during]
    assert before == signal.getsignal(number)
