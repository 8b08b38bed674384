"""The program an application asks: `headrace serve`, a process of its own in which Spark cannot be imported."""

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .process import Process, free_port

WITHOUT_SPARK = (
    "import sys; sys.modules.update(dict.fromkeys(('pyspark', 'delta', 'py4j')));"
    "from headrace.cli import main; sys.exit(main())"
)
"""Runs the command line where an import of Spark fails as it does where it is not installed."""


class Assistant:
    """Serves the deployment of a settings file; its log in `folder`."""

    def __init__(self, folder: Path, config: Path, environment: Mapping[str, str]) -> None:
        self.config, self.port = config, free_port()
        path = os.pathsep.join([str(Path(__file__).parents[2] / "lib"), os.environ.get("PYTHONPATH", "")])
        self._environment = {**environment, "PYTHONPATH": path}
        command = self._program("serve", "--port", str(self.port))
        self.process = Process("assistant", command, folder, self._environment)

    def start(self) -> "Assistant":
        """Starts it and returns when it answers."""
        self.process.start()
        self.process.wait_ready(self._answers, 60)
        return self

    def ask(self, question: str) -> dict[str, Any]:
        """The answer, with its record and the context it was made of."""
        body, kind = json.dumps({"question": question}).encode(), {"content-type": "application/json"}
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/v1/answers", body, kind, method="POST")
        with urllib.request.urlopen(request, timeout=120) as answer:
            found: dict[str, Any] = json.load(answer)
        return found

    def run(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Another verb of the command line, in the same kind of process."""
        environment = {**os.environ, **self._environment}
        return subprocess.run(self._program(*words), capture_output=True, text=True, env=environment, timeout=300)

    def stop(self) -> None:
        """Stops it by its own pid."""
        self.process.stop()

    def _program(self, *words: str) -> list[str]:
        return [sys.executable, "-c", WITHOUT_SPARK, *words, "--config", str(self.config)]

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/v1/health", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False
