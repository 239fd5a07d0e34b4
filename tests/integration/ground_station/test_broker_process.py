"""Our own mosquitto: it is looked after, it speaks TLS, and pages hear what nodes say."""

import datetime as dt
import http.client
import ipaddress
import json
import os
import re
import shutil
import signal
import ssl
import time
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.station_kit import (
    MqttNode,
    Speaker,
    StationProcess,
    eventually,
    observation,
    utc_now,
)

pytestmark = [
    pytest.mark.broker,
    pytest.mark.skipif(
        shutil.which("mosquitto", path="/usr/sbin:/usr/bin") is None,
        reason="no mosquitto on this machine",
    ),
]


@pytest.fixture
def station(tmp_path):
    found = StationProcess(tmp_path, broker="mosquitto")
    yield found
    found.stop()


def _mosquitto(station) -> int:
    return int((station.folder / "data" / "broker" / "mosquitto.pid").read_text())


def test_killed_broker_is_started_again_and_nodes_go_on(station):
    """SIGKILL of mosquitto: a new one within seconds, same passwords, nothing lost."""
    password = station.enrol("mast-1")
    station.start()
    speaker, node = Speaker(), MqttNode(station, "mast-1", password)
    try:
        eventually(lambda: node.up)
        now = utc_now()
        node.publish(speaker.obs(observation(track=1, phase="new"), now)).wait_for_publish(5)
        eventually(lambda: node.receipts and node.receipts[-1] == 1)
        first = _mosquitto(station)
        os.kill(first, signal.SIGKILL)
        eventually(lambda: not node.up)
        eventually(lambda: node.up)
        eventually(station.healthy)
        assert first != _mosquitto(station)
        node.publish(speaker.obs(observation(track=2, phase="new"), now))
        eventually(lambda: node.receipts[-1] == 2)
    finally:
        node.close()
    assert 0 == station.stop()


def test_station_killed_and_started_again_ends_the_broker_it_left_behind(station):
    """The port is free again without anybody's help."""
    station.start()
    left = _mosquitto(station)
    station.kill()
    assert Path(f"/proc/{left}").exists()
    station.start()
    assert left != _mosquitto(station)


def _events(station, cookie, seconds, last_id=None):
    """Lines of the event stream for a while."""
    connection = http.client.HTTPConnection("127.0.0.1", station.http_port, timeout=5)
    headers = {"Cookie": cookie} | ({"Last-Event-ID": str(last_id)} if last_id else {})
    connection.request("GET", "/api/v1/events", headers=headers)
    answer = connection.getresponse()
    assert 200 == answer.status
    until_s, lines = time.monotonic() + seconds, []
    while time.monotonic() < until_s:
        line = answer.readline().decode().rstrip("\n")
        lines.append((time.time(), line))
    connection.close()
    return lines


def test_page_hears_the_target_soon_after_its_capture(station):
    """Over real HTTP: the observation's target is on the stream, and the stream resumes."""
    password = station.enrol("mast-1")
    station.cli("user", "add", "thu", "--role", "guard", "--no-password")
    station.start()
    token = station.cli("user", "link", "thu").strip().split("#link=")[1]
    connection = http.client.HTTPConnection("127.0.0.1", station.http_port, timeout=10)
    connection.request(
        "POST", "/api/v1/login/link", json.dumps({"token": token}),
        {"Content-Type": "application/json"},
    )  # fmt: skip
    answer = connection.getresponse()
    answer.read()
    cookie = answer.getheader("Set-Cookie").split(";")[0]
    connection.close()
    speaker, node = Speaker(), MqttNode(station, "mast-1", password)
    try:
        eventually(lambda: node.up)
        walk = [observation(track=1, phase="new" if n == 0 else "update", north_m=40.0 - n)
                for n in range(6)]  # fmt: skip
        for body in walk:
            node.publish(speaker.obs(body, utc_now()))
            time.sleep(0.2)
        eventually(lambda: node.receipts and node.receipts[-1] == 6)
        lines = _events(station, cookie, 2.5, last_id=1)
        names = [line[7:] for _, line in lines if line.startswith("event: ")]
        assert "resync" == names[0]
        newest = next(int(line[4:]) for _, line in lines if line.startswith("id: "))
        node.publish(speaker.obs(observation(track=2, phase="new", north_m=60.0), utc_now()))
        lines = _events(station, cookie, 2.5, last_id=newest)
        targets = [
            json.loads(lines[index + 1][1][6:])
            for index, (_, line) in enumerate(lines)
            if line == "event: target"
        ]
        assert targets[-1]["object_class"] == "Human"
        ids = [int(line[4:]) for _, line in lines if line.startswith("id: ")]
        assert ids == list(range(newest + 1, newest + 1 + len(ids)))
    finally:
        node.close()


def _certificates(folder):
    """An authority, a server for 127.0.0.1, the station and one node."""
    now = dt.datetime.now(dt.timezone.utc)

    def make(name, issuer=None, *, address=False):
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer[0].subject if issuer else subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(hours=1))
            .not_valid_after(now + dt.timedelta(days=1))
            .add_extension(
                x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True
            )
        )
        if address:
            builder = builder.add_extension(
                x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
                critical=False,
            )
        certificate = builder.sign(issuer[1] if issuer else key, hashes.SHA256())
        (folder / f"{name}.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        path = folder / f"{name}.pem"
        path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        path.chmod(0o600)
        return certificate, key

    authority = make("ca")
    make("server", authority, address=True)
    for name in ("_station", "mast-1"):
        make(name, authority)


def test_nodes_log_in_by_certificate_where_the_config_says_so(station, tmp_path):
    """TLS with client certificates: the common name is the node, and without one nobody gets in."""
    _certificates(tmp_path)
    text = station.config.read_text()
    for key, value in {
        "ca_file": "ca.crt", "certificate_file": "server.crt", "key_file": "server.pem",
        "station_certificate_file": "_station.crt", "station_key_file": "_station.pem",
    }.items():  # fmt: skip
        text = text.replace(f"# {key} =", f'{key} = "{tmp_path / value}"', 1)
    station.config.write_text(
        text.replace("# require_client_certificates = false", "require_client_certificates = true")
    )
    station.start()
    speaker = Speaker()
    node = MqttNode(station, "mast-1", None, connect=False)
    node.client.tls_set(
        ca_certs=str(tmp_path / "ca.crt"),
        certfile=str(tmp_path / "mast-1.crt"),
        keyfile=str(tmp_path / "mast-1.pem"),
    )
    node.connect()
    stranger = MqttNode(station, "mast-2", None, connect=False)
    stranger.client.tls_set(ca_certs=str(tmp_path / "ca.crt"))
    stranger.connect()
    try:
        eventually(lambda: node.up)
        node.publish(speaker.obs(observation(track=1, phase="new"), utc_now()))
        eventually(lambda: node.receipts and node.receipts[-1] == 1)
        assert not stranger.up
    finally:
        node.close()
        stranger.close()


def test_page_by_tls_beyond_loopback(tmp_path):
    """With a certificate the page is served by TLS, and the cookie never travels without it."""
    _certificates(tmp_path)
    station = StationProcess(tmp_path, broker="iotcore")
    text = station.config.read_text()
    start = text.index("[http]")
    http_text = text[start:]
    for key, value in {
        "listen_address": "0.0.0.0",
        "certificate_file": str(tmp_path / "server.crt"),
        "key_file": str(tmp_path / "server.pem"),
    }.items():
        http_text = re.sub(rf"(?m)^# {key} =.*$", f'{key} = "{value}"', http_text, count=1)
    station.config.write_text(text[:start] + http_text)
    station.cli("user", "add", "thu", "--role", "guard", "--no-password")
    link = station.cli("user", "link", "thu").strip()
    assert link.startswith(f"https://127.0.0.1:{station.http_port}/#link=")
    context = ssl.create_default_context(cafile=str(tmp_path / "ca.crt"))

    def ask(method, path, body=None):
        connection = http.client.HTTPSConnection(
            "127.0.0.1", station.http_port, timeout=5, context=context
        )
        connection.request(method, path, body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        answer.read()
        connection.close()
        return answer

    def up():
        try:
            return 200 == ask("GET", "/api/v1/health").status
        except OSError:
            return False

    station.start(wait=False)
    try:
        eventually(up, timeout_s=40)
        answer = ask("POST", "/api/v1/login/link", json.dumps({"token": link.split("=")[1]}))
        assert 200 == answer.status
        assert "Secure" in answer.getheader("Set-Cookie")
        assert "max-age" in answer.getheader("Strict-Transport-Security")
    finally:
        assert 0 == station.stop()
