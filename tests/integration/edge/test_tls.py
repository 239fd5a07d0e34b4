"""The way to a broker in the field: TLS, client certificates, the broker's own refusals."""

import subprocess
from datetime import datetime, timedelta, timezone
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from edge.uplink import PahoTransport
from runtime.clock import SystemClock
from runtime.settings import SecretFile
from tests.integration.edge.broker_kit import Mosquitto, free_port

pytestmark = pytest.mark.broker
CONFIG = """
listener {port} 127.0.0.1
cafile {folder}/ca.crt
certfile {folder}/broker.crt
keyfile {folder}/broker.key
require_certificate true
use_identity_as_username true
allow_anonymous false
user root
acl_file {folder}/acl
persistence false
"""
ACL = "pattern write bw/v1/ha-tien/%u/#\npattern read bw/v1/ha-tien/%u/cmd\n"


class Authority:
    """A site's certificate authority, in a folder."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._name = folder, name
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._certificate = self._sign(name, self._key.public_key(), authority=True)
        self._write("ca.crt" if name == "site" else f"{name}.crt", self._certificate)

    def issue(self, name: str) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        self._write(f"{name}.crt", self._sign(name, key.public_key(), authority=False))
        pem = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        file = self._folder / f"{name}.key"
        file.write_bytes(pem)
        file.chmod(0o600)

    def _sign(self, name: str, key, *, authority: bool) -> x509.Certificate:
        now = datetime.now(timezone.utc)
        return (
            x509.CertificateBuilder()
            .subject_name(_named(name))
            .issuer_name(_named(self._name))
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(
                x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]),
                critical=False,
            )
            .sign(self._key, hashes.SHA256())
        )

    def _write(self, name: str, certificate: x509.Certificate) -> None:
        pem = certificate.public_bytes(serialization.Encoding.PEM)
        (self._folder / name).write_bytes(pem)


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


class TlsMosquitto(Mosquitto):
    """Wants a certificate of the site, and lets each node write under its own name."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._program = "/usr/sbin/mosquitto"
        if not Path(self._program).exists():
            pytest.skip("no mosquitto on this machine")
        self._config = folder / "mosquitto.conf"
        self._config.write_text(CONFIG.format(port=self.port, folder=folder))
        (folder / "acl").write_text(ACL)
        self._process: subprocess.Popen | None = None
        self.start()


@pytest.fixture
def folder(tmp_path):
    site = Authority(tmp_path, "site")
    for name in ("broker", "mast-1"):
        site.issue(name)
    Authority(tmp_path, "stranger").issue("mast-9")
    return tmp_path


@pytest.fixture
def broker(folder):
    server = TlsMosquitto(folder)
    yield server
    server.kill()


def transport(folder: Path, port: int, *, node="mast-1", ca="ca.crt") -> PahoTransport:
    return PahoTransport(
        host="127.0.0.1",
        port=port,
        client_id=node,
        clock=SystemClock(),
        tls=True,
        ca_file=folder / ca,
        cert_file=folder / f"{node}.crt",
        key_file=SecretFile(folder / f"{node}.key"),
    )


def reaches(one: PahoTransport, rounds: int = 60) -> bool:
    one.open(will=None, subscriptions=[("bw/v1/ha-tien/mast-1/cmd", 1)])
    for _ in range(rounds):
        one.wait(0.1)
        if one.connected:
            return True
    return False


def test_node_with_the_sites_certificate_is_let_in_and_its_message_acknowledged(broker, folder):
    """Both sides show a certificate of the site; PUBACK comes back through TLS."""
    one = transport(folder, broker.port)
    assert reaches(one)
    token = one.publish("bw/v1/ha-tien/mast-1/state", b"{}", qos=1)
    done = []
    for _ in range(50):
        one.wait(0.1)
        done += one.acknowledged()
        if done:
            break
    assert [token] == done
    one.close()
    assert not one.connected


def test_message_that_the_broker_does_not_allow_frees_its_place_all_the_same(broker, folder):
    """Another node's topic: refused in the PUBACK, so nothing waits for ever."""
    one = transport(folder, broker.port)
    assert reaches(one)
    token = one.publish("bw/v1/ha-tien/mast-2/state", b"{}", qos=1)
    done = []
    for _ in range(50):
        one.wait(0.1)
        done += one.acknowledged()
        if done:
            break
    assert [token] == done
    one.close()


def test_strangers_certificate_is_refused(broker, folder):
    """A certificate of another authority opens no door, and nothing is handed over."""
    one = transport(folder, broker.port, node="mast-9")
    assert not reaches(one, 20)
    assert one.publish("bw/v1/ha-tien/mast-9/state", b"{}", qos=1) is None
    one.close()


# paho leaves the socket of a failed handshake to the garbage collector, which says so.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_broker_of_another_authority_is_not_believed(broker, folder):
    """The node checks the broker as well: a broker it does not know gets nothing."""
    one = transport(folder, broker.port, ca="stranger.crt")
    assert not reaches(one, 20)
    one.close()


def test_secret_key_that_others_can_read_is_not_used(broker, folder):
    """A key open to all is no proof of who this is."""
    (folder / "mast-1.key").chmod(0o644)
    one = transport(folder, broker.port)
    assert not reaches(one, 10)
    one.close()
