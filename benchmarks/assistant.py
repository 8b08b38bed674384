"""Contexts over HTTP: 10 requests a second for a minute, from an embedded index of 100,000 passages.

The server is a process of its own (`headrace serve`, mode `hybrid` with the embedded model, or `--mode words`). Printed
are errors, percentiles of the assembly, as the server says in `Server-Timing`, and of the whole call, and the server's
CPU time for one call, which says most on a machine that does other work: then ask with a lower `--rate`.
"""

import argparse
import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

import numpy

from headrace.config_indexes import SqliteIndex
from headrace.config_knowledge import StaticEmbed
from headrace.passages import packed
from headrace.ports import Model, Projected
from headrace.stores.embedders import embedder
from headrace.stores.sqlite_index import SqliteVectorIndex

GOAL_MS = 150
WORDS = [f"word{number}" for number in range(20_000)]
WEIGHTS = [1 / (number + 10) for number in range(len(WORDS))]
# As in any language: few words are in most texts, most words are in few.


def fill(path: Path, count: int) -> None:
    """An index of so many passages of random words, with random vectors of the embedded model's size."""
    with_model = embedder(StaticEmbed())
    model = Model(with_model.model, with_model.dimension, with_model.fingerprint)
    store = SqliteVectorIndex(SqliteIndex(path=str(path)), "g1", model)
    store.open("outbox")
    chance, numbers = random.Random(1), numpy.random.default_rng(1)
    for first in range(0, count, 2_000):
        vectors = numbers.normal(size=(min(2_000, count - first), model.dimension)).astype("float32")
        vectors /= numpy.linalg.norm(vectors, axis=1, keepdims=True)
        rows = [_passage(first + number, vector, model, chance) for number, vector in enumerate(vectors)]
        assert store.write(rows).failed == ()
    store.activate("g1")
    store.close()


def _passage(number: int, vector: numpy.ndarray, model: Model, chance: random.Random) -> Projected:
    text = " ".join([*chance.choices(WORDS, WEIGHTS, k=60), f"number{number}"])
    body = {
        "source": "policies", "document": f"d{number // 10}", "title": None, "modality": "text", "language": "en",
        "tags": [], "audience": [], "metadata": {}, "text": text, "start": 0, "end": len(text), "heading": [],
        "ordinal": number % 10, "changed_at": "2026-11-01T00:00:00Z", "position": "1", "model": model.name,
        "dimension": model.dimension, "fingerprint": model.fingerprint, "vector": packed(vector),
    }  # fmt: skip
    return Projected(f"k{number}", 1, False, body)


def load(url: str, a_second: int, seconds: int) -> tuple[list[float], list[float], list[str]]:
    """Milliseconds of assembly and of the whole call, and errors; requests begin by the clock, whatever comes back."""
    assembly: list[float] = []
    whole: list[float] = []
    errors: list[str] = []

    def one(number: int) -> None:
        chance = random.Random(number)
        question = f"What about {' '.join(chance.choices(WORDS, WEIGHTS, k=5))} number{chance.randrange(100_000)}?"
        body = json.dumps({"question": question}).encode()
        began = time.perf_counter()
        try:
            with urlopen(Request(f"{url}/v1/context", body, {"Content-Type": "application/json"}), timeout=30) as got:
                found = json.load(got)
                assembly.append(float(got.headers["Server-Timing"].rpartition("=")[2]))
            whole.append(1000 * (time.perf_counter() - began))
            if found["gaps"] or not found["items"]:
                errors.append(f"gaps: {found['gaps']}")
        except (OSError, ValueError) as error:
            errors.append(str(error))

    threads = []
    began = time.perf_counter()
    for number in range(a_second * seconds):
        time.sleep(max(0.0, began + number / a_second - time.perf_counter()))
        threads.append(threading.Thread(target=one, args=(number,)))
        threads[-1].start()
    for thread in threads:
        thread.join()
    return assembly, whole, errors


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--passages", type=int, default=100_000)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--rate", type=int, default=10, help="requests a second")
    parser.add_argument("--index", type=Path, help="a file to fill where it is missing, and to use again")
    parser.add_argument("--mode", default="hybrid", choices=("hybrid", "words"))
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        index = args.index or folder / "search.db"
        (folder / "docs").mkdir()
        (folder / "headrace.yaml").write_text(
            "lake: ./lake\nknowledge:\n  documents: {policies: {from: folder, path: ./docs}}\n"
            f"  indexes: {{search: {{store: sqlite, path: {index.absolute()}}}}}\n"
            f"assistant: {{context: {{mode: {args.mode}}}}}\n"
        )
        if not index.exists():
            fill(index, args.passages)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        command = [sys.executable, "-m", "headrace.cli", "serve", "--port", str(port), "--config"]
        server = subprocess.Popen([*command, str(folder / "headrace.yaml")], env=os.environ, stderr=subprocess.DEVNULL)
        try:
            url = f"http://127.0.0.1:{port}"
            _wait(f"{url}/v1/health")
            load(url, 2, 3)  # opens the index and the model
            cpu = _cpu(server.pid)
            assembly, whole, errors = load(url, args.rate, args.seconds)
            cpu = _cpu(server.pid) - cpu
        finally:
            server.terminate()
            server.wait(20)
    print(f"| what | p50 ms | p95 ms | worst ms |  ({args.passages:,} passages, {args.mode}, {args.rate} requests/s)")
    for what, some in (("assembly", assembly), ("whole call", whole)):
        if some:
            p50, p95 = numpy.percentile(some, [50, 95])
            print(f"| {what} | {p50:.0f} | {p95:.0f} | {max(some):.0f} |")
    met = bool(assembly) and not errors and numpy.percentile(assembly, 95) <= GOAL_MS
    goal = f"goal p95 <= {GOAL_MS} ms {'met' if met else 'MISSED'}"
    print(
        f"CPU of the server for a call: {1000 * cpu / (args.rate * args.seconds):.0f} ms; load {os.getloadavg()[0]:.1f}"
    )
    print(f"{len(errors)} errors of {args.seconds * args.rate} {errors[:3]}; {goal}")
    return 0


def _cpu(process: int) -> float:
    """Seconds of CPU that a process of Linux has used."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _wait(url: str) -> None:
    for _ in range(300):
        try:
            urlopen(url, timeout=2).close()
            return
        except (URLError, OSError):
            time.sleep(0.2)
    raise TimeoutError(url)


if __name__ == "__main__":
    sys.exit(main())
