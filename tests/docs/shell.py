"""Runs a page's script in a shell; its `headrace` commands may be run by this process, whose Spark is there already."""

import contextlib
import io
import json
import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from docs.markdown import ROOT
from headrace import cli

_CLIENT = """#!{python}
import json, os, socket, sys
with socket.create_connection(("127.0.0.1", {port})) as connection, connection.makefile("rw") as wire:
    wire.write(json.dumps([os.getcwd(), sys.argv[1:]]) + "\\n")
    wire.flush()
    code, printed, said = json.loads(wire.readline())
sys.stdout.write(printed)
sys.stderr.write(said)
sys.exit(code)
"""


@dataclass(frozen=True)
class Done:
    """A script's exit code, and what it wrote to stdout and stderr."""

    code: int
    printed: str
    said: str


def run(script: str, folder: Path) -> Done:
    """As a user would: every command is a program of its own."""
    return _ended(_started(script, folder, []), folder)


def run_here(script: str, folder: Path) -> Done:
    """The same with `headrace` in this process. Belongs to the main thread, as `headrace run` listens for signals."""
    programs = folder / "bin"
    programs.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        client = programs / "headrace"
        client.write_text(_CLIENT.format(python=sys.executable, port=server.getsockname()[1]))
        client.chmod(0o755)
        process = _started(script, folder, [programs])
        while process.poll() is None:
            with contextlib.suppress(TimeoutError):
                _serve(server)
    return _ended(process, folder)


def _serve(server: socket.socket) -> None:
    connection, _ = server.accept()
    with connection, connection.makefile("rw") as wire:
        folder, arguments = json.loads(wire.readline())
        printed, said = io.StringIO(), io.StringIO()
        with contextlib.chdir(folder), contextlib.redirect_stdout(printed), contextlib.redirect_stderr(said):
            code = cli.main(arguments)
        wire.write(json.dumps([code, printed.getvalue(), said.getvalue()]) + "\n")


def _started(script: str, folder: Path, first: Sequence[Path]) -> "subprocess.Popen[bytes]":
    places = [*map(str, first), str(Path(sys.executable).parent), os.environ["PATH"]]
    with (folder / "printed").open("wb") as printed, (folder / "said").open("wb") as said:
        return subprocess.Popen(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=folder,
            env=os.environ | {"PATH": ":".join(places), "EXAMPLES": str(ROOT / "examples")},
            stdout=printed,
            stderr=said,
        )


def _ended(process: "subprocess.Popen[bytes]", folder: Path) -> Done:
    code = process.wait(600)
    return Done(code, (folder / "printed").read_text(), (folder / "said").read_text())
