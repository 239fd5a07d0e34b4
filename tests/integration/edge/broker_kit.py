"""A real mosquitto, and a reader that plays the station: commits, then says how far."""

import asyncio
import json
import shutil
import socket
import subprocess
import threading
from collections import Counter
from datetime import datetime, timezone
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from simulations.link import Link, Weather
from wire import codec
from wire.envelope import Envelope
from wire.messages import Receipt
from wire.topics import BY_NAME, parse, station_filters, topic

SITE, NODE = "ha-tien", "mast-1"


def free_port() -> int:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return int(door.getsockname()[1])


class Mosquitto:
    """A broker on loopback that keeps nothing: a restart forgets all it had."""

    def __init__(self, folder: Path) -> None:
        program = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
        if not Path(program).exists():
            pytest.skip("no mosquitto on this machine")
        self.port = free_port()
        self._config = folder / "mosquitto.conf"
        self._config.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\npersistence false\n"
        )
        self._program = program
        self._process: subprocess.Popen | None = None
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(
            [self._program, "-c", str(self._config)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        if not any(self._listens() for _ in range(200)):
            self.kill()
            pytest.fail("mosquitto did not listen within four seconds")

    def _listens(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1.0).close()
        except OSError:
            threading.Event().wait(0.02)
            return False
        return True

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait(10)


class Reader:
    """Reads everything a node says, keeps it by number, and sends receipts like a station.

    Attributes:
        by_seq: number to the ids that came under it.
        copies: how often each id came.
        bodies: of the observations, by id.
    """

    def __init__(self, port: int, *, receipts: bool = True) -> None:
        self.by_seq: dict[int, set[str]] = {}
        self.copies: Counter[str] = Counter()
        self.bodies: dict[str, dict] = {}
        self.heard: Counter[str] = Counter()
        self.receipts = receipts
        self._changed = threading.Condition()
        self._committed = 0
        self._sent = 0
        self._client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id="reader", protocol=mqtt.MQTTv5
        )
        self._client.reconnect_delay_set(0.1, 0.5)
        self._client.on_connect = lambda client, *_: client.subscribe(
            [(name, mqtt.SubscribeOptions(qos=qos)) for name, qos in station_filters(SITE)]
        )
        self._client.on_message = self._on_message
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def _on_message(self, _client, _data, message) -> None:
        spec = parse(message.topic).spec
        said = codec.decode(message.payload, spec=spec).message
        with self._changed:
            self.heard[spec.name] += 1
            if said.seq is not None:
                self.by_seq.setdefault(said.seq, set()).add(said.id)
                self.copies[said.id] += 1
                if spec.name == "obs":
                    self.bodies[said.id] = json.loads(message.payload)["body"]
                while self._committed + 1 in self.by_seq:
                    self._committed += 1
            self._changed.notify_all()
        if self.receipts:
            self._receipt()

    def _receipt(self) -> None:
        now = datetime.now(timezone.utc)
        self._sent += 1
        message = Envelope[Receipt](
            id=f"01HQVQZJ{self._sent:018d}",
            node_id="station",
            session="01HQVQZJ000000000000000000",
            t_event_utc=now,
            t_sent_utc=now,
            clock={"source": "ntp", "error_s": 0.01},
            simulated=False,
            body=Receipt(seq=self._committed),
        )
        where = topic("receipt", site=SITE, node=NODE)
        self._client.publish(where, codec.encode(message, spec=BY_NAME["receipt"]))

    def wait_for(self, claim, timeout_s: float = 60.0) -> bool:
        """Until the claim holds of this reader; false when it did not in time."""
        with self._changed:
            return self._changed.wait_for(lambda: claim(self), timeout_s)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


class Cable:
    """`simulations.link.Link` in a loop of its own, for tests that block.

    Attributes:
        port: where a node connects to.
    """

    def __init__(self, target_port: int) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._link = Link(target_host="127.0.0.1", target_port=target_port)
        self._do(self._link.start())
        self.port = self._link.port

    def change(self, **weather) -> None:
        async def turn() -> None:
            self._link.change(Weather(**weather))

        self._do(turn())

    def close(self) -> None:
        self._do(self._link.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def _do(self, work) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)
