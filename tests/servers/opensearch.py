"""An OpenSearch node with k-NN on 127.0.0.1 for tests."""

import json
import os
import urllib.request
import zipfile
from pathlib import Path
from typing import Any

from headrace.pipelines.java import find_java

from .jars import HERE, cache_folder, fetched
from .process import Process, ServerError, free_port


class OpenSearch:
    """A node with data, port and log in `folder`; or the one of $HEADRACE_TEST_OPENSEARCH, which is never stopped.

    $HEADRACE_TEST_OPENSEARCH is a URL such as http://127.0.0.1:9200. Here only the k-NN engine lucene runs: faiss has
    no native library in the packages.
    """

    def __init__(self, folder: Path) -> None:
        self.external = os.environ.get("HEADRACE_TEST_OPENSEARCH")
        self.folder = folder
        self.port = free_port()
        self.process: Process | None = None

    @property
    def url(self) -> str:
        """Where it answers."""
        return self.external or f"http://127.0.0.1:{self.port}"

    def start(self) -> "OpenSearch":
        """Starts the node and returns when it answers. Needs the compiler of a JDK: the node is one Java file."""
        if self.external:
            return self
        for name in ("config", "tmp"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        machine = ["-Xms1g", "-Xmx1g", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
        node = [str(HERE / "SearchNode.java"), str(self.folder), str(self.port), str(free_port())]
        java = [str(find_java().home / "bin" / "java"), *machine, f"-Djava.io.tmpdir={self.folder / 'tmp'}"]
        self.process = Process("opensearch", [*java, "-cp", _class_path(), *node], self.folder)
        self.process.start()
        self.process.wait_ready(self._answers, 90)
        return self

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """One request, its answer; by the standard library, so that tests do not rest on what they test."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, {"content-type": "application/json"}, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def _answers(self) -> bool:
        try:
            return bool(self.call("GET", "/_cluster/health")["status"] != "red")
        except OSError:
            return False

    def stop(self) -> None:
        """Stops the node by its own pid."""
        if self.process:
            self.process.stop()


def _class_path() -> str:
    files = fetched("opensearch-pom.xml", "opensearch-jars.lock")
    jars = [file for file in files if file.suffix == ".jar"]
    (plugin,) = [file for file in files if file.suffix == ".zip"]
    folder = cache_folder() / f"{plugin.stem}-jars"
    if not folder.exists():
        unfinished = folder.with_name(f"{folder.name}-{os.getpid()}")
        with zipfile.ZipFile(plugin) as packed:
            packed.extractall(unfinished, [name for name in packed.namelist() if name.endswith(".jar")])
        unfinished.rename(folder)
    more = sorted(folder.glob("*.jar"))
    if not more:
        raise ServerError(f"expected jars in {plugin}; found none. Remove {folder} and try again")
    return os.pathsep.join(str(file) for file in [*jars, *more])
