"""The application over a small deployment, called without a server."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from headrace.web.app import app
from headrace.web.world import World
from web_world import READERS, WebWorld

HOST = "http://127.0.0.1"


class Site:
    """One deployment and its application."""

    def __init__(self, folder: Path, web: str = "") -> None:
        self.world = WebWorld(folder, web)
        self.opened = World(self.world.config)
        self.app = app(self.opened)
        self.client = self.as_("")

    def as_(self, token: str, **headers: str) -> TestClient:
        """Somebody with this token, or with none."""
        given = headers | ({"Authorization": f"Bearer {token}"} if token else {})
        return TestClient(self.app, HOST, raise_server_exceptions=False, headers=given, follow_redirects=False)

    def events(self) -> list[dict[str, Any]]:
        """Every event that went out; the stream is closed for it."""
        self.opened.close()
        files = sorted((self.world.folder / "events").rglob("*.jsonl"))
        return [json.loads(line) for file in files for line in file.read_text().splitlines()]

    def audited(self) -> list[dict[str, Any]]:
        """The lines of the audit."""
        file = self.world.folder / "audit.jsonl"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    def close(self) -> None:
        """Give everything back."""
        self.opened.close()
        self.world.close()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """On this machine, without readers."""
    made = Site(tmp_path / "site", "  webhooks: [feed]\n")
    yield made
    made.close()


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Site]:
    """With readers of two tenants, an operator and a third party."""
    made = Site(tmp_path / "guarded", READERS)
    yield made
    made.close()


@pytest.fixture
def now() -> datetime:
    return datetime.now(UTC)
