"""Freshness of the index: from the moment a file is written until search finds it, and a delete during a backlog.

    python benchmarks/search_freshness.py --store sqlite
    python benchmarks/search_freshness.py --store opensearch --backlog 50000

`headrace run index_knowledge` as its own process with a 2 s trigger, the embedded static model, a folder of Markdown
pages that is in step before the clock starts. An edit puts a word nobody used into one page; it counts as visible when
a search for that word finds it. With `--backlog` so many passages arrive at once, and while they are embedded and
published pages are deleted one by one; a delete counts once the page's own word finds nothing. OpenSearch is a real
node on this machine, which takes its share of the same cores.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from statistics import median, quantiles
from typing import Any

import yaml

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from headrace.config import Config
from headrace.ports import Filters, PassageReader
from headrace.stores.indexes import reader
from servers.opensearch import OpenSearch
from servers.process import Process, wait_until

WORDS = "visa fee passport child hotel flight bag pet late refund gate seat desk lounge insurance boarding".split()
EDIT_GOAL, DELETE_GOAL = 12.0, 10.0
SECTIONS = 20


def page(random: Random, word: str, sections: int) -> str:
    """A page of so many passages, each of about 60 words; `word` stands in the first."""
    parts = [f"# {word}\n\nThe word of this page is {word}."]
    for number in range(sections - 1):
        parts.append(f"## Part {number}\n\n{' '.join(random.choices(WORDS, k=60))} {random.getrandbits(32):08x}.")
    return "\n\n".join(parts) + "\n"


@contextmanager
def index_settings(store: str, folder: Path) -> Iterator[dict[str, Any]]:
    """Settings of the index; its server runs as long as they are used."""
    if store == "sqlite":
        yield {"store": "sqlite", "path": str(folder / "search.db")}
        return
    (folder / "opensearch").mkdir()
    server = OpenSearch(folder / "opensearch").start()
    try:
        yield {"store": "opensearch", "hosts": [server.url], "index": "passages", "refresh": "1s"}
    finally:
        server.stop()


def found(index: PassageReader, word: str) -> bool:
    """Whether a search finds the page of this word."""
    return any(word in hit.body["text"] for hit in index.by_words(word, Filters(), 3))


def waited(condition: Callable[[], bool], seconds: float = 300) -> float:
    """Seconds until the condition holds."""
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > seconds:
            raise SystemExit(f"not within {seconds} s")
        time.sleep(0.05)
    return time.monotonic() - began


def edits(pages: Path, index: PassageReader, count: int, random: Random) -> list[float]:
    """Seconds from the write of an edit until it is found, one edit after another, at moments that follow no beat."""
    names = sorted(pages.glob("*.md"))
    took = []
    for number in range(count):
        word = f"edit{number}x{random.getrandbits(24):06x}"
        file = random.choice(names)
        text = file.read_text().replace("## Part 0\n\n", f"## Part 0\n\n{word} ", 1)
        file.with_suffix(".new").write_text(text)
        file.with_suffix(".new").replace(file)
        took.append(waited(lambda word=word: found(index, word)))
        time.sleep(random.uniform(0, 2))
    return took


def deletes(pages: Path, index: PassageReader, backlog: int, random: Random) -> list[float]:
    """Seconds from a page's delete until it is not found any more, while a backlog is worked off."""
    victims = [f"page{number}" for number in range(10)]
    for number in range(backlog // SECTIONS):
        (pages / f"backlog{number}.md").write_text(page(random, f"backlog{number}", SECTIONS))
    last = f"backlog{backlog // SECTIONS - 1}"
    time.sleep(5)
    took = []
    for word in victims:
        if all(found(index, f"backlog{number}") for number in range(0, backlog // SECTIONS, 50)):
            break
        (pages / f"{word}.md").unlink()
        took.append(waited(lambda word=word: not found(index, word)))
        time.sleep(1)
    print(f"backlog: deletes gone after {', '.join(f'{one:.1f}' for one in took)} s; all in step", end=" ", flush=True)
    print(f"{waited(lambda: found(index, last), 1800):.0f} s later")
    return took


def shown(what: str, took: list[float], goal: float) -> None:
    """Print a line of the table."""
    if len(took) < 3:
        print(f"{what:28} {len(took)} only: {[round(one, 1) for one in took]}")
        return
    p95 = quantiles(took, n=100)[94]
    verdict = "met" if p95 <= goal else "MISSED"
    print(
        f"{what:28} p50 {median(took):5.1f} s   p95 {p95:5.1f} s   worst {max(took):5.1f} s   goal {goal} s: {verdict}"
    )


def commits(lake: Path) -> dict[str, int]:
    """Commits of each table of the job."""
    tables = ("documents", "chunks", "vectors", "passages", "outbox/passages")
    return {table: len(list((lake / table / "_delta_log").glob("*[0-9].json"))) for table in tables}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--store", choices=("sqlite", "opensearch"), default="sqlite")
    parser.add_argument("--provider", choices=("static", "minilm"), default="static")
    parser.add_argument("--pages", type=int, default=300)
    parser.add_argument("--edits", type=int, default=40)
    parser.add_argument("--backlog", type=int, default=0)
    given = parser.parse_args()
    random = Random(3)
    with tempfile.TemporaryDirectory() as scratch, index_settings(given.store, Path(scratch)) as index:
        folder = Path(scratch)
        pages, lake = folder / "pages", folder / "lake"
        pages.mkdir()
        for number in range(given.pages):
            (pages / f"page{number}.md").write_text(page(random, f"page{number}", 5))
        feed = {"from": "folder", "path": str(pages), "include": ["*.md"]}
        knowledge = {"documents": {"pages": feed}, "indexes": {"search": index}, "embed": {"provider": given.provider}}
        settings = {"lake": str(lake), "knowledge": knowledge}
        config = folder / "headrace.yaml"
        config.write_text(yaml.safe_dump(settings))
        program = Path(sys.executable).with_name("headrace")
        job = Process("headrace", [str(program), "run", "index_knowledge", "--config", str(config)], folder)
        job.start()
        valid = Config.model_validate(settings).knowledge
        assert valid is not None
        try:
            wait_until(lambda: (lake / "outbox" / "passages").exists(), "the job begins", 120)
            search = reader(valid.indexes["search"])
            began = time.monotonic()
            while True:
                try:
                    if found(search, f"page{given.pages - 1}") and found(search, "page0"):
                        break
                except Exception:  # no generation yet
                    pass
                time.sleep(0.2)
            print(f"{given.store}: {given.pages} pages in step {time.monotonic() - began:.0f} s after the first commit")
            edits(pages, search, 3, random)  # cold
            before, told = commits(lake), given.edits
            took = edits(pages, search, told, random)
            shown("edit visible in search", took, EDIT_GOAL)
            each = {table: round((count - before[table]) / told, 1) for table, count in commits(lake).items()}
            print(f"commits for an edit: {json.dumps(each)}")
            if given.backlog:
                shown(f"delete, {given.backlog} waiting", deletes(pages, search, given.backlog, random), DELETE_GOAL)
            search.close()
        finally:
            job.kill9()


if __name__ == "__main__":
    main()
