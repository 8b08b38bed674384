"""How much of the machine the job's own work takes: against the bare model, and against a hand-written bulk load.

    python benchmarks/index_speed.py --part encode [--passages 1000]
    python benchmarks/index_speed.py --part publish [--passages 20000]

*encode*: `index_knowledge` takes pages in, cuts, embeds with MiniLM, serves and publishes to SQLite; the baseline is
the same model over the same texts, already cut and in memory, in as many processes as the job uses workers, and nothing
else. The job runs already when the pages appear, as a job runs for weeks.

*publish*: a publisher brings a new OpenSearch index in step with passages in the lake; the baseline is `parallel_bulk`
of opensearch-py with the same documents, already in memory, into an index with the same mapping.
"""

import argparse
import base64
import cProfile
import json
import pstats
import sqlite3
import sys
import tempfile
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from multiprocessing import get_context
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from search_freshness import page

from headrace.config import Config
from headrace.config_embed import MiniLmEmbed
from headrace.config_indexes import OpenSearchIndex
from headrace.lake import Lake
from headrace.pipelines import index_knowledge
from headrace.pipelines.deliver import Delivery
from headrace.pipelines.publish import Publisher
from headrace.pipelines.runtime import spark_session
from headrace.stores.embedders import kept_embedder
from headrace.stores.files import LakeFiles
from headrace.stores.indexes import index
from servers.opensearch import OpenSearch

SECTIONS = 20
WORKERS = 2
ENCODE_GOAL, PUBLISH_GOAL = 0.9, 0.8


def config(folder: Path, pages: Path, index_settings: dict[str, Any], provider: str) -> Config:
    """A job over a folder of Markdown."""
    knowledge = {
        "documents": {"pages": {"from": "folder", "path": str(pages), "include": ["*.md"]}},
        "indexes": {"search": index_settings},
        "embed": {"provider": provider},
    }
    return Config.model_validate({"lake": str(folder / "lake"), "knowledge": knowledge})


def write_pages(folder: Path, passages: int, seed: int) -> None:
    """So many pages that they make about this number of passages."""
    folder.mkdir(parents=True)
    random = Random(seed)
    for number in range(max(1, passages // SECTIONS)):
        (folder / f"page{number}.md").write_text(page(random, f"page{seed}x{number}", SECTIONS))


def encode_bare(texts: list[str]) -> int:
    """What one process of the baseline does."""
    embedder = kept_embedder(MiniLmEmbed(provider="minilm"))
    for start in range(0, len(texts), embedder.batch):
        embedder.embed(texts[start : start + embedder.batch])
    return len(texts)


def encode(scratch: Path, passages: int) -> None:
    """The whole job against the bare model."""
    pages, stop = scratch / "pages", threading.Event()
    write_pages(pages, 200, seed=1)
    settings = config(scratch, pages, {"store": "sqlite", "path": str(scratch / "s.db")}, "minilm")
    spark = spark_session("benchmark")
    job = threading.Thread(target=index_knowledge.run, args=(settings, False, stop))
    job.start()
    held_before = in_step(scratch, 200)
    write_pages(scratch / "more", passages, seed=2)
    began = time.monotonic()
    (scratch / "more").rename(pages / "more")
    in_step(scratch, held_before + passages)
    whole = time.monotonic() - began
    stop.set()
    job.join()
    chunks = Lake(spark, settings.lake).read("chunks").where("document LIKE 'more/%'")
    texts = [row["embedded"] for row in chunks.select("embedded").distinct().collect()]
    with ProcessPoolExecutor(WORKERS, mp_context=get_context("spawn")) as pool:
        list(pool.map(encode_bare, [texts[:8]] * WORKERS))
        began = time.monotonic()
        sum(pool.map(encode_bare, [texts[part::WORKERS] for part in range(WORKERS)]))
        bare = time.monotonic() - began
    told("encode", len(texts), whole, bare, ENCODE_GOAL)


def in_step(folder: Path, passages: int) -> int:
    """Wait until the index holds so many living passages."""
    while True:
        time.sleep(0.5)
        try:
            with closing(sqlite3.connect(f"file:{folder / 's.db'}?mode=ro", uri=True)) as db:
                held = int(db.execute("select count(*) from passages_1 where not deleted").fetchone()[0])
        except sqlite3.OperationalError:  # not there yet
            continue
        if held >= passages:
            return held


def told(what: str, count: int, ours: float, baseline: float, goal: float) -> None:
    """Print a line of the table."""
    share = baseline / ours
    verdict = "met" if share >= goal else "MISSED"
    print(
        f"{what}: {count} passages, headrace {count / ours:.0f}/s ({ours:.1f} s), "
        f"baseline {count / baseline:.0f}/s ({baseline:.1f} s): {share:.0%}, goal {goal:.0%}: {verdict}"
    )


def publish(scratch: Path, passages: int) -> None:
    """A publisher against `parallel_bulk`, each into an index of its own; then once more, in the other order."""
    from opensearchpy import OpenSearch as Client
    from opensearchpy.helpers import parallel_bulk

    (scratch / "server").mkdir()
    write_pages(scratch / "pages", passages, 1)
    # Fills the lake; a topic or server is not needed for that.
    settings = config(scratch, scratch / "pages", {"store": "sqlite", "path": str(scratch / "s.db")}, "static")
    spark = spark_session("benchmark")
    index_knowledge.run(settings, True, threading.Event())
    lake = Lake(spark, settings.lake)
    rows = [(row["key"], json.loads(row["body"])) for row in lake.read("outbox/passages").collect()]
    server = OpenSearch(scratch / "server").start()

    def by_headrace(name: str) -> tuple[float, pstats.Stats]:
        target = OpenSearchIndex.model_validate({"store": "opensearch", "hosts": [server.url], "index": name})
        store = index(target, "one")
        publisher = Publisher(
            name, f"publishers/{name}.json", "bench", lake, LakeFiles(lake.root),
            Delivery(store, 10, list.clear), "outbox/passages", lambda found: found, lambda: lake.read("none"),
        )  # fmt: skip
        publisher.open()
        profile = cProfile.Profile()
        began = time.monotonic()
        profile.enable()
        applied = 0
        while applied == 0 or publisher.behind:
            applied += publisher.run().applied
        profile.disable()
        took = time.monotonic() - began
        assert applied == len(rows), f"{applied} of {len(rows)}"
        return took, pstats.Stats(profile)

    def by_hand(name: str, like: str) -> float:
        client = Client([server.url], http_compress=True, timeout=60)
        (found,) = client.indices.get(index=f"{like}__*").values()
        given = ("creation_date", "uuid", "version", "provided_name")  # by the server
        wanted = {key: value for key, value in found["settings"]["index"].items() if key not in given}
        client.indices.create(index=name, body={"settings": {"index": wanted}, "mappings": found["mappings"]})

        def actions() -> Any:
            for key, body in rows:
                vector = np.frombuffer(base64.b64decode(body["vector"]), dtype="<f4").tolist()
                marks = {"key": key, "version": 1, "deleted": False}
                document = {**body, "vector": vector, "row": marks}
                yield {"_index": name, "_id": key, "version": 1, "version_type": "external", "_source": document}

        began = time.monotonic()
        for succeeded, answer in parallel_bulk(client, actions(), thread_count=4, chunk_size=500):
            assert succeeded, answer
        return time.monotonic() - began

    try:
        by_headrace("warm")
        by_hand("warm-hand", "warm")
        for turn in (1, 2):
            ours, stats = by_headrace(f"ours{turn}")
            told(f"publish, turn {turn}", len(rows), ours, by_hand(f"hand{turn}", f"ours{turn}"), PUBLISH_GOAL)
        stats.sort_stats("tottime").print_stats(14)
    finally:
        server.stop()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--part", choices=("encode", "publish", "both"), default="both")
    parser.add_argument("--passages", type=int, default=0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        if given.part != "publish":
            encode(Path(scratch) / "encode", given.passages or 4000)
        if given.part != "encode":
            (Path(scratch) / "publish").mkdir()
            publish(Path(scratch) / "publish", given.passages or 20000)


if __name__ == "__main__":
    main()
