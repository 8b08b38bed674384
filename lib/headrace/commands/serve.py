"""`headrace serve`: a small web application over what the jobs keep. It needs no Spark and no Java.

It binds 127.0.0.1. Beyond that it needs `web.readers`, whose tokens come from the environment or a store of secrets.
"""

import argparse
import socket
from contextlib import closing
from ipaddress import ip_address

from headrace.commands.logs import Form, log_to_stderr
from headrace.commands.options import config_option
from headrace.config import Config
from headrace.config_file import load
from headrace.errors import ConfigError, MissingDependency

BACKLOG = 256
"""Connections at once; more are told that it is busy."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add where it listens."""
    parser.add_argument("--host", default="127.0.0.1", metavar="ADDRESS", help="default: 127.0.0.1")
    parser.add_argument("--port", type=int, default=8737, metavar="N", help="default: 8737; 0 takes a free one")
    config_option(parser)
    parser.add_argument("--log", choices=("text", "json"), default="text", help="lines for people, or JSON")
    parser.epilog = "Readers, their tokens and what they may see stand in the settings: docs/serve.md."


def run(args: argparse.Namespace) -> int:
    """Serve until it is stopped.

    Raises:
        ConfigError: it would listen beyond this machine without a token, or cannot listen there.
        MissingDependency: `headrace[serve]` is not installed.
    """
    config = load(args.config)
    check_place(config, args.host)
    try:
        import uvicorn

        from headrace.web.app import app
        from headrace.web.guard import LOOPBACK
        from headrace.web.world import World
    except ModuleNotFoundError as error:
        todo = "Run `pip install 'headrace[serve]'`."
        raise MissingDependency(expected="FastAPI, uvicorn and Jinja2", found=f"no module {error.name}",
                                todo=todo) from error  # fmt: skip
    form: Form = args.log
    log_to_stderr(form)
    check_free(args.host, args.port)
    with closing(World(config)) as world:
        address = f"[{args.host}]" if ":" in args.host else args.host
        names = (*LOOPBACK, address) if is_loopback(args.host) else (address,)
        # The server's own name and the client's say in forwarded headers are left out; a question never reaches a log.
        settings = uvicorn.Config(app(world, names), host=args.host, port=args.port, access_log=False,
                                  server_header=False, proxy_headers=False, limit_concurrency=BACKLOG,
                                  timeout_graceful_shutdown=5, log_level="info")  # fmt: skip
        uvicorn.Server(settings).run()
    return 0


def check_place(config: Config, host: str) -> None:
    """Raises ConfigError for an address that others reach, where nobody needs a token."""
    if not is_loopback(host) and not config.web.readers:
        todo = "Add `web: {readers: {ada: {token: {secret: env:ADA_TOKEN}}}}`, or bind 127.0.0.1."
        raise ConfigError(where="--host", expected="readers with tokens, to listen beyond this machine",
                          found=f"{host}, and no readers", todo=todo)  # fmt: skip


def check_free(host: str, port: int) -> None:
    """Raises ConfigError for an address that cannot be listened on, before anything is opened."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as tried:
            # As the server does: what a server before has left in TIME_WAIT is no hindrance.
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tried.bind(address)
    except (OSError, OverflowError) as error:
        todo = "Stop what listens there, or name another one: --host ADDRESS, --port N (0 takes a free one)."
        found = f"{host} {port}: {error}"
        expected = "an address and a port to listen on"
        raise ConfigError(where="--port", expected=expected, found=found, todo=todo) from error


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address."""
    if host == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
