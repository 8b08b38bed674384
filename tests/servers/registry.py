"""A schema registry on 127.0.0.1 for tests: Apicurio Registry, in memory, by its form of Confluent's REST API."""

import json
import os
import urllib.error
import urllib.request
import zipfile
from pathlib import Path
from typing import Any

from headrace.pipelines.java import find_java

from .jars import fetched
from .process import Process, free_port


class SchemaRegistry:
    """A registry with its log in `folder`; or the one of $HEADRACE_TEST_REGISTRY, which is never stopped."""

    def __init__(self, folder: Path) -> None:
        external = os.environ.get("HEADRACE_TEST_REGISTRY")
        self.folder, self.port = folder, free_port()
        self.url = external or f"http://127.0.0.1:{self.port}/apis/ccompat/v7"
        self.process = None if external else Process("registry", self._command(), folder)

    def start(self) -> "SchemaRegistry":
        """Starts it and returns when it answers, which takes about ten seconds."""
        if self.process:
            self.process.start()
            self.process.wait_ready(self._answers, 90)
        return self

    def stop(self) -> None:
        """Stops it by its own pid."""
        if self.process:
            self.process.stop()

    def register(self, subject: str, schema: str, *references: tuple[str, str, int]) -> int:
        """The id of a schema, registered now; references are (name, subject, version)."""
        listed = [dict(zip(("name", "subject", "version"), one, strict=True)) for one in references]
        body = json.dumps({"schema": schema, "references": listed}).encode()
        headers = {"Content-Type": "application/vnd.schemaregistry.v1+json"}
        request = urllib.request.Request(f"{self.url}/subjects/{subject}/versions", body, headers)
        with urllib.request.urlopen(request, timeout=10) as answer:
            found: dict[str, Any] = json.load(answer)
        return int(found["id"])

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/schemas/types", timeout=2):
                return True
        except (urllib.error.URLError, OSError):
            return False

    def _command(self) -> list[str]:
        (archive,) = fetched("registry-pom.xml", "registry-jars.lock")
        home = archive.parent / "unpacked"
        if not home.exists():
            unfinished = home.with_name(f"unpacked.{os.getpid()}")
            zipfile.ZipFile(archive).extractall(unfinished)
            unfinished.rename(home)
        (runner,) = home.glob("*-runner.jar")
        machine = ["-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
        settings = [f"-Dquarkus.http.port={self.port}", "-Dquarkus.http.host=127.0.0.1"]
        java = str(find_java().home / "bin" / "java")
        return [java, *machine, *settings, "-cp", f"{runner}:{home}/lib/*", "io.quarkus.runner.GeneratedMain"]
