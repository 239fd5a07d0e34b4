"""Which broker, who may do what there, and a config that explains its own mistakes."""

import base64
import hashlib
import json
import re
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ground_station import credentials
from ground_station.broker import AddressBroker, choose
from ground_station.broker_iotcore import IotcoreBroker
from ground_station.broker_mosquitto import MosquittoBroker
from ground_station.cli import app
from ground_station.config import BrokerSettings, GroundConfig
from ground_station.install import fill_template
from runtime.clock import SystemClock
from runtime.errors import AskOperator
from runtime.settings import SettingsError, commented_template, load, parse
from tests.station_kit import site_geojson, write_site
from wire import topics

STATION = """
[station]
site_id = "ha-tien"
site_file = "site.geojson"
data_dir = "data"
signing_key_file = "station.key"
"""


def config(extra: str = "") -> GroundConfig:
    return parse((STATION + extra).encode(), GroundConfig, path=Path("/x/station.toml"))


@pytest.mark.parametrize(
    ("extra", "key", "word"),
    [
        ('[broker]\nkind = "iotcore"\nlisten_address = "0.0.0.0"', "broker", "loopback"),
        ('[broker]\nlisten_address = "10.0.0.1"', "broker", "plain_mqtt_on_lan = true"),
        ('[broker]\nkind = "address"', "broker", "needs address"),
        ('[broker]\naddress = "10.0.0.1"\nkind = "mosquitto"', "broker", "address is given"),
        ("[broker]\nport = 70000", "broker.port", "65535"),
        ('[broker]\nlisten_address = "everywhere"', "broker.listen_address", "IP address"),
        ('[broker]\nuser = "x"', "broker", "together"),
        ('[broker]\ncertificate_file = "a"\nkey_file = "b"', "broker", "ca_file"),
        ('[http]\nlisten_address = "0.0.0.0"', "http", "certificate_file"),
        ('[http]\nlisten_adress = "127.0.0.1"', "http.listen_adress", "known are"),
        ('[store]\nurl = "mysql://x"', "store.url", "pattern"),
        ('[store]\nurl = "postgresql://u:geheim@h/d"', "store", "password_file"),
        ("[sensors]\nsilent_after_s = -1", "sensors.silent_after_s", "5"),
        ('[log]\nlevel = "LOUD"', "log.level", "'DEBUG'"),
        ("[station.x]\n", "station.x", "no such key"),
    ],
)  # fmt: skip
def test_mistake_in_the_config_names_its_key_and_what_is_allowed(extra, key, word):
    """One line per mistake, without secrets."""
    with pytest.raises(SettingsError) as caught:
        config(extra)
    problem = caught.value.problems[0]
    assert key == problem.key
    assert word in str(problem)
    assert "geheim" not in str(caught.value)


def test_all_mistakes_are_named_at_once():
    """Nobody starts a station five times to find five mistakes."""
    with pytest.raises(SettingsError) as caught:
        config('[http]\nport = 0\n[log]\nlevel = "x"\n[broker]\nport = 0')
    assert {"http.port", "log.level", "broker.port"} == {one.key for one in caught.value.problems}


def test_first_answer_that_holds_is_the_broker(tmp_path):
    """An address, else mosquitto, else iotcore on loopback."""
    clock = SystemClock()
    program = tmp_path / "mosquitto"
    program.write_text("")
    found = [
        choose(config('[broker]\naddress = "10.0.0.1"'), clock=clock),
        choose(config(f'[broker]\nmosquitto_program = "{program}"'), clock=clock),
        choose(config(f'[broker]\nmosquitto_program = "{tmp_path}/none"'), clock=clock),
        choose(config('[broker]\nkind = "iotcore"'), clock=clock),
    ]
    assert [AddressBroker, MosquittoBroker, IotcoreBroker, IotcoreBroker] == [
        type(one) for one in found
    ]
    assert "without user" in found[0].notice
    assert "no access control" in found[2].notice


def test_demonstration_broker_is_refused_beyond_loopback(tmp_path):
    """Without mosquitto nothing listens on the network."""
    with pytest.raises(AskOperator, match="mosquitto"):
        choose(
            config(
                f'[broker]\nmosquitto_program = "{tmp_path}/none"\n'
                'listen_address = "10.0.0.1"\nplain_mqtt_on_lan = true'
            ),
            clock=SystemClock(),
        )
    with pytest.raises(AskOperator, match="loopback"):
        IotcoreBroker(
            BrokerSettings(listen_address="0.0.0.0", plain_mqtt_on_lan=True), folder=tmp_path
        )


def test_missing_mosquitto_is_named_when_it_is_asked_for(tmp_path):
    """The next step is a command."""
    with pytest.raises(AskOperator, match="apt-get install mosquitto"):
        choose(
            config(f'[broker]\nkind = "mosquitto"\nmosquitto_program = "{tmp_path}/none"'),
            clock=SystemClock(),
        )


def _allowed(acl, user, verb, topic):
    """Mosquitto's rules, read as its manual states them."""
    section, rules = None, []
    for line in acl.splitlines():
        words = line.split()
        if not words or line.startswith("#"):
            continue
        if words[0] == "user":
            section = words[1]
        elif words[0] == "pattern":
            rules.append((words[1], words[2].replace("%u", user)))
        elif section == user:
            rules.append((words[1], words[2]))

    def matches(rule):
        return re.fullmatch(rule.replace("+", "[^/]+"), topic) is not None

    return any(verb == allowed and matches(rule) for allowed, rule in rules)


def test_permissions_follow_the_table_of_topics():
    """A node writes its up topics and reads its down topics; nobody but the station commands."""
    friend, siren = credentials.login("f", "friend"), credentials.login("s", "listener")
    acl = credentials.access_list("ha-tien", ["mast-1", friend, siren])
    values = {"hash": "0" * 64, "alert": "01HF7YAT31JZHSMW1CG6Q6MHB7", "sensor": "c", "friend": "f"}
    for spec in topics.TABLE:

        def topic(node, friend="f", spec=spec):
            return spec.format(**{
                key: {"site": "ha-tien", "node": node, "friend": friend}.get(key) or values[key]
                for key in spec.parameters
            })  # fmt: skip

        up, down = spec.direction in {"up", "in"}, spec.direction in {"down", "out"}
        station = credentials.STATION_USER
        assert up == _allowed(acl, station, "read", topic("mast-1")), spec.name
        assert down == _allowed(acl, station, "write", topic("mast-1")), spec.name
        own = topic("mast-1", friend="mast-1")
        # A patrol's report lowers alerts: no node may write it, and a siren only listens.
        assert (spec.direction == "in", False) == (
            _allowed(acl, friend, "write", topic("mast-1")),
            _allowed(acl, friend, "write", topic("mast-1", friend="mast-1")),
        )
        assert (spec.direction == "out", False) == (
            _allowed(acl, siren, "read", own), _allowed(acl, siren, "write", own)
        )  # fmt: skip
        assert (spec.direction == "up", spec.direction == "down") == (
            _allowed(acl, "mast-1", "write", own),
            _allowed(acl, "mast-1", "read", own),
        ), spec.name
        if "node" in spec.parameters:
            other = topic("mast-2")
            assert (False, False) == (
                _allowed(acl, "mast-1", "write", other),
                _allowed(acl, "mast-1", "read", other),
            )


def test_password_file_holds_hashes_for_its_owner_alone(tmp_path):
    """The hash is mosquitto's own form; a second password replaces the first."""
    path = tmp_path / "passwords"
    credentials.set_password(path, "mast-1", "first")
    credentials.set_password(path, "mast-2", "other")
    credentials.set_password(path, "mast-1", "second")
    assert (["mast-1", "mast-2"], 0o600) == (credentials.users(path), path.stat().st_mode & 0o777)
    line = next(text for text in path.read_text().splitlines() if text.startswith("mast-1:"))
    _, kind, rounds, salt, found = line.split(":", 1)[1].split("$")
    expected = hashlib.pbkdf2_hmac(
        "sha512", b"second", base64.b64decode(salt), int(rounds), dklen=64
    )
    assert ("7", expected) == (kind, base64.b64decode(found))
    assert "second" not in path.read_text()


def test_template_is_a_whole_config_and_takes_values(tmp_path):
    """What `init` writes is read again; a key that does not exist is not silently dropped."""
    text = fill_template(
        commented_template(GroundConfig),
        {("station", "site_id"): "tinh-bien", ("http", "port"): 8443},
    )
    path = tmp_path / "station.toml"
    path.write_text(text)
    found = load(path, GroundConfig).model
    assert ("tinh-bien", 8443, 1883) == (found.station.site_id, found.http.port, found.broker.port)
    with pytest.raises(KeyError):
        fill_template(text, {("http", "prot"): 1})


# --- command line ---------------------------------------------------------------------------------
def run(*words, stdin=""):
    done = CliRunner().invoke(app, [str(word) for word in words], input=stdin)
    return done.exit_code, done.stdout, done.stderr


@pytest.fixture
def made(tmp_path):
    folder = tmp_path / "s"
    site = write_site(tmp_path)
    code, _, err = run("init", folder, "--site-id", "ha-tien", "--site-file", site)
    assert 0 == code, err
    return folder / "station.toml"


def test_new_station_checks_out_and_has_no_user(made):
    """There is never a default password, because there is never a default user."""
    assert 0 == run("check-config", "-c", made)[0]
    assert (0, "[]\n") == run("user", "list", "--json", "-c", made)[:2]
    key = made.parent / "keys" / "station.key"
    assert 0o600 == key.stat().st_mode & 0o777
    code, out, _ = run("show-config", "-c", made)
    assert (0, True) == (code, "PRIVATE" not in out and "ha-tien" in out)


def test_second_init_replaces_nothing(made, tmp_path):
    """A key and a config are never lost to a repeated command."""
    before = made.read_bytes()
    code, _, err = run(
        "init", made.parent, "--site-id", "other", "--site-file", tmp_path / "site.geojson"
    )
    assert (2, True, before) == (code, "edit it" in err, made.read_bytes())


@pytest.mark.parametrize(
    ("password", "word"),
    [("kurz", "10 to 256"), ("thu" * 5, "user's name"), ("aaaaaaaaaaaaaaaa", "repeated")],
)
def test_weak_passwords_are_refused(made, password, word):
    """Exit code 2, and the reason."""
    code, _, err = run(
        "user", "add", "thu", "--role", "guard", "--password-file", "-", "-c", made, stdin=password
    )
    assert (2, True) == (code, word in err)


def test_users_are_added_changed_locked_out_and_all_of_it_is_audited(made):
    """The first administrator comes from the command line."""
    word = "eine lange Zeile"
    steps = [
        ("user", "add", "thu", "--password-file", "-", "-c", made),
        ("user", "passwd", "thu", "--password-file", "-", "-c", made),
        ("user", "disable", "thu", "-c", made),
        ("user", "enable", "thu", "-c", made),
    ]
    assert [0, 0, 0, 0] == [run(*step, stdin=word)[0] for step in steps]
    assert 2 == run(*steps[0], stdin=word)[0]
    assert "administrator" in run("user", "list", "-c", made)[1]
    assert 2 == run("user", "add", "y", "--password-file", "-", "-c", made, stdin=word)[0]
    assert 2 == run("user", "add", "x", "--role", "king", "--password-file", "-", "-c", made)[0]
    assert 2 == run("user", "passwd", "nobody", "--password-file", "-", "-c", made, stdin=word)[0]
    code, out, _ = run("user", "link", "thu", "-c", made)
    assert (0, True) == (code, out.startswith("http://127.0.0.1:8080/#link="))
    code, out, _ = run("audit", "verify", "--json", "-c", made)
    assert (0, True) == (code, '"ok": true' in out)


def test_enrolment_says_who_logs_in_and_where_nobody_will_read_it(made, tmp_path):
    """A siren has a user name of its own; a broker that is not ours is told apart."""
    text = made.read_text()
    heard = []
    for kind in ("iotcore", "mosquitto"):
        made.write_text(
            text.replace(
                '# kind = "auto"', f'kind = "{kind}"\nmosquitto_program = "{sys.executable}"'
            )
        )
        out = tmp_path / kind
        code, _, err = run("node", "enrol", "s-1", "--listener", "--out", out, "-c", made)
        heard.append((code, "_listener-s-1" in err, "does not read" in err))
    assert [(0, True, True), (0, True, False)] == heard
    both = run("node", "enrol", "s-2", "--listener", "--friend", "--out", out, "-c", made)
    assert 2 == both[0]


def test_node_is_enrolled_once_per_file(made, tmp_path):
    """The credential is for its owner alone; a wrong name is explained."""
    out = tmp_path / "mast-1.password"
    assert 0 == run("node", "enrol", "mast-1", "--out", out, "-c", made)[0]
    assert 0o600 == out.stat().st_mode & 0o777
    assert 2 == run("node", "enrol", "mast-1", "--out", out, "-c", made)[0]
    code, _, err = run("node", "enrol", "Mast 1", "--out", tmp_path / "b", "-c", made)
    assert (2, True) == (code, "lower case" in err)


def test_wrong_site_file_is_explained(tmp_path):
    """Exit code 2, with the feature and the field."""
    path = tmp_path / "site.geojson"
    site = site_geojson()
    del site["features"][0]
    path.write_text(json.dumps(site))
    code, _, err = run("zones", "check", path)
    assert (2, True, True) == (code, "line" in err, str(path) in err)
    assert 2 == run("zones", "check", tmp_path / "none.geojson")[0]


def test_key_that_others_can_read_is_refused(made):
    """The next step is the command that mends it."""
    key = made.parent / "keys" / "station.key"
    key.chmod(0o644)
    code, _, err = run("check-config", "-c", made)
    assert (2, True) == (code, "chmod 600" in err)
    assert 2 == run("run", "-c", made)[0]


def test_every_command_has_help():
    """Nobody reads code to find an option."""
    import click
    from typer.main import get_command

    def walk(command, path):
        assert command.help or command.short_help, path
        if isinstance(command, click.Group) or hasattr(command, "commands"):
            for name, inner in command.commands.items():
                walk(inner, f"{path} {name}")

    walk(get_command(app), "border-ground")
