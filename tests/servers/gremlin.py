"""A Gremlin Server with an empty TinkerGraph on 127.0.0.1 for tests: the stand-in for Amazon Neptune.

It knows no transactions: of a query that fails midway, what went before stays. Neptune takes each query whole or not.
"""

import os
import socket
from pathlib import Path

from headrace.config_keyed_stores import NeptuneGraph
from headrace.pipelines.java import find_java

from .jars import fetched
from .process import Process, free_port

_SETTINGS = """
host: 127.0.0.1
port: {port}
evaluationTimeout: 30000
channelizer: org.apache.tinkerpop.gremlin.server.channel.WebSocketChannelizer
graphs: {{graph: {folder}/graph.properties}}
scriptEngines: {{
  gremlin-groovy: {{
    plugins: {{
      org.apache.tinkerpop.gremlin.server.jsr223.GremlinServerGremlinPlugin: {{}},
      org.apache.tinkerpop.gremlin.tinkergraph.jsr223.TinkerGraphGremlinPlugin: {{}},
      org.apache.tinkerpop.gremlin.jsr223.ScriptFileGremlinPlugin: {{files: [{folder}/start.groovy]}}}}}}}}
serializers:
  - {{className: org.apache.tinkerpop.gremlin.util.ser.GraphSONMessageSerializerV3}}
  - {{className: org.apache.tinkerpop.gremlin.util.ser.GraphBinaryMessageSerializerV1}}
"""
_GRAPH = """
gremlin.graph=org.apache.tinkerpop.gremlin.tinkergraph.structure.TinkerGraph
gremlin.tinkergraph.vertexIdManager=ANY
gremlin.tinkergraph.edgeIdManager=ANY
gremlin.tinkergraph.vertexPropertyIdManager=LONG
"""
_START = "def globals = [:]\nglobals << [g : traversal().withEmbedded(graph)]\n"


class Gremlin:
    """A server with its log in `folder`. What it holds ends with it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.process: Process | None = None

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"ws://127.0.0.1:{self.port}/gremlin"

    def start(self) -> "Gremlin":
        """Starts it, again after a stop or a kill, and returns when it answers."""
        if self.process is None:
            self.folder.mkdir(parents=True, exist_ok=True)
            (self.folder / "server.yaml").write_text(_SETTINGS.format(port=self.port, folder=self.folder))
            (self.folder / "graph.properties").write_text(_GRAPH)
            (self.folder / "start.groovy").write_text(_START)
            jars = os.pathsep.join(str(file) for file in fetched("gremlin-pom.xml", "gremlin-jars.lock"))
            machine = ["-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
            java = [str(find_java().home / "bin" / "java"), *machine, "-cp", jars]
            main = "org.apache.tinkerpop.gremlin.server.GremlinServer"
            self.process = Process("gremlin", [*java, main, str(self.folder / "server.yaml")], self.folder)
        self.process.start()
        self.process.wait_ready(self._answers, 90)
        return self

    def stop(self) -> None:
        """Stops it by its own pid."""
        if self.process:
            self.process.stop(seconds=5)

    def kill9(self) -> None:
        """Ends it at once."""
        assert self.process is not None
        self.process.kill9()

    def settings(self, **more: object) -> NeptuneGraph:
        """Settings of its graph."""
        return NeptuneGraph.model_validate({"store": "neptune", "url": self.url, "timeout": "20s"} | more)

    def _answers(self) -> bool:
        try:  # it listens last of all
            with socket.create_connection(("127.0.0.1", self.port), 1):
                return True
        except OSError:
            return False
