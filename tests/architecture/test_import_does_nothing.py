"""Importing a module starts nothing and touches nothing."""

import json
import subprocess
import sys
from pathlib import Path

TRAINING_LIBRARIES = {"onnx", "torch", "ultralytics"}
"""What comes with the extra `[yolo]` alone, and what modules of `models` that train may need."""
PROBE = """
import importlib, json, logging, os, sys, sysconfig, threading

root, names = sys.argv[1], sys.argv[2:]
stdlib = sysconfig.get_paths()["stdlib"]
watched = ("socket.", "subprocess.", "os.system", "os.putenv", "os.unsetenv", "os.mkdir",
           "os.remove", "os.rename", "sqlite3.connect", "webbrowser.")
deeds = []
now = ""

def ours(frame):
    while frame is not None:
        file = frame.f_code.co_filename
        if file.startswith(root) and "site-packages" not in file:
            return True
        if not (file.startswith("<") or (file.startswith(stdlib) and "site-packages" not in file)):
            return False
        frame = frame.f_back
    return False

def hook(event, arguments):
    writes = event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+")
    if now and (writes or event.startswith(watched)) and ours(sys._getframe(1)):
        deeds.append(f"{now}: {event} {arguments[:2]!r}")

def handlers():
    loggers = [logging.getLogger(), *logging.root.manager.loggerDict.values()]
    return {
        (logger.name, repr(handler))
        for logger in loggers
        for handler in getattr(logger, "handlers", ())
        if logger.name == "root" or logger.name.partition(".")[0] in set(n.partition(".")[0] for n in names)
    }

sys.addaudithook(hook)
sys.dont_write_bytecode = True
missing = {}
for name in names:
    threads, before, cwd = set(threading.enumerate()), handlers(), os.getcwd()
    now = name
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:
        missing[name] = error.name
    now = ""
    if set(threading.enumerate()) - threads:
        deeds.append(f"{name}: started {set(threading.enumerate()) - threads}")
    if handlers() - before:
        deeds.append(f"{name}: made logging handlers {handlers() - before}")
    if os.getcwd() != cwd:
        deeds.append(f"{name}: changed the working directory")
print(json.dumps({"deeds": deeds, "missing": missing, "heavy": sorted(set(sys.modules) & {"torch", "ultralytics"})}))
"""


def _probe(root: Path, names: list[str]) -> dict:
    done = subprocess.run(
        [sys.executable, "-c", PROBE, str(root), *names],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
        timeout=200,
    )
    return json.loads(done.stdout.splitlines()[-1])


def test_importing_every_module_does_nothing(modules, root: Path) -> None:
    """No thread, socket, process, written file, environment change or logging handler."""
    names = [module.name for module in modules if not module.name.endswith("__main__")]
    found = _probe(root, names)
    assert [] == found["deeds"]
    assert set() == {
        (name, library)
        for name, library in found["missing"].items()
        if not (name.startswith("models.") and library in TRAINING_LIBRARIES)
    }


def test_no_module_loads_torch_by_being_imported(modules, root: Path) -> None:
    """Torch and ultralytics come in when a network of theirs is opened, not before."""
    light = [
        module.name
        for module in modules
        if module.package != "models" or module.name in {"models.cli", "models.registry"}
    ]
    assert [] == _probe(root, light)["heavy"]


def test_the_probe_sees_what_it_looks_for(tmp_path: Path) -> None:
    """The check itself can fail: a module that does all of it is caught."""
    (tmp_path / "busy.py").write_text(
        "import logging, socket, threading, time\n"
        "logging.getLogger().addHandler(logging.StreamHandler())\n"
        "threading.Thread(target=time.sleep, args=(5,), daemon=True).start()\n"
        "socket.socket().close()\n"
        "open('left.txt', 'w').close()\n"
    )
    deeds = " ".join(_probe(tmp_path, ["busy"])["deeds"])
    for word in ("started", "logging handlers", "socket.__new__", "left.txt"):
        assert word in deeds
