"""What edits of real documentation cost to embed again: our pieces against other splitters.

Pages are Markdown in source distributions on PyPI, under MIT, BSD or Apache licences. A page in one release and in the
next that is pinned is one edit. Files of `embedding_bill_pages.json` are fetched once (225 MB) and checked.

    python benchmarks/embedding_bill.py [--json] [--cache FOLDER] [--tokens N]
"""

import argparse
import difflib
import hashlib
import json
import re
import statistics
import sys
import tarfile
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from headrace.config_knowledge import Chunk
from headrace.knowledge.chunk import chunks

PINS = Path(__file__).with_name("embedding_bill_pages.json")
LEAST_WORDS = 600
TRANSLATED = re.compile(r"/(docs/(ja|ko|zh)|i18n)/")
# Lists of changes grow at one end only, which flatters every splitter, and most of all those that start at headings.
NO_PAGES = re.compile(r"change|release|history|news", re.IGNORECASE)


@dataclass(frozen=True)
class Part:
    """One chunk: what stands in the page, what is embedded."""

    text: str
    embedded: str


@dataclass(frozen=True)
class Edit:
    """A page before and after."""

    page: str
    old: str
    new: str


Splitter = Callable[[str], list[Part]]


def ours(settings: Chunk) -> Splitter:
    """Headrace's pieces; the page's first heading serves as its title, as parsers have it."""
    return lambda text: [Part(piece.text, piece.embedded) for piece in chunks("page", text, None, settings)]


def windows(words: int) -> Splitter:
    """So many words each, whatever they are."""

    def split(text: str) -> list[Part]:
        found = text.split()
        return [_part(" ".join(found[at : at + words])) for at in range(0, len(found), words)]

    return split


def recursive(characters: int) -> Splitter:
    """At blank lines, else line ends, else spaces, else anywhere; small ones joined up to so many characters."""
    return lambda text: [_part(part) for part in _recursive(text, characters, ("\n\n", "\n", " ", "")) if part.strip()]


def _recursive(text: str, most: int, separators: tuple[str, ...]) -> list[str]:
    separator, rest = next((s, separators[i + 1 :]) for i, s in enumerate(separators) if s in text)
    done: list[str] = []
    current = ""
    for part in text.split(separator) if separator else text:
        joined = current + separator + part if current else part
        if len(joined) <= most:
            current = joined
            continue
        if current:
            done.append(current)
        current = part
        if len(part) > most:
            done.extend(_recursive(part, most, rest))
            current = ""
    return [*done, current] if current else done


def _part(text: str) -> Part:
    folded = " ".join(text.split())
    return Part(folded, folded)


def fetched(cache: Path) -> dict[str, list[Path]]:
    """The pinned files of each project, oldest first, fetched where they are missing."""
    cache.mkdir(parents=True, exist_ok=True)
    files: dict[str, list[Path]] = {}
    for project, versions in json.loads(PINS.read_text()).items():
        paths = [cache / f"{project.replace('-', '_')}-{version}.tar.gz" for version in versions]
        if not all(path.exists() for path in paths):
            _fetch(project, cache, {path.name: digest for path, digest in zip(paths, versions.values(), strict=True)})
        for path, digest in zip(paths, versions.values(), strict=True):
            if hashlib.sha256(path.read_bytes()).hexdigest() != digest:
                sys.exit(f"{path}: another file than the one that is pinned; delete it and run again")
        files[project] = paths
    return files


def _fetch(project: str, cache: Path, wanted: dict[str, str]) -> None:
    with urllib.request.urlopen(f"https://pypi.org/pypi/{project}/json", timeout=60) as answer:
        releases = json.load(answer)["releases"]
    for found in (file for files in releases.values() for file in files):
        if wanted.get(found["filename"]) == found["digests"]["sha256"] and not (cache / found["filename"]).exists():
            # Mirrors give addresses relative to the project's page.
            url = urllib.parse.urljoin(f"https://pypi.org/simple/{project}/", found["url"])
            with urllib.request.urlopen(url, timeout=120) as answer:
                (cache / found["filename"]).write_bytes(answer.read())


def pages(archive: Path) -> dict[str, str]:
    """Markdown pages of a source distribution, by path below its folder."""
    found = {}
    with tarfile.open(archive) as files:
        for member in files:
            path = "/" + member.name.partition("/")[2]
            unfit = TRANSLATED.search(path) or NO_PAGES.search(path)
            if member.isfile() and path.endswith((".md", ".mdx")) and not unfit:
                content = files.extractfile(member)
                assert content is not None
                found[path] = content.read().decode("utf-8", "replace")
    return found


def edits(files: dict[str, list[Path]]) -> Iterator[Edit]:
    """Pages of more than 600 words that are not the same in two releases that follow one another."""
    for project, archives in files.items():
        for before, after in pairwise(map(pages, archives)):
            for path, new in after.items():
                old = before.get(path, new)
                if min(len(old.split()), len(new.split())) > LEAST_WORDS and old.split() != new.split():
                    yield Edit(project + path, old, new)


@cache
def on_changed_lines(edit: Edit) -> int:
    """Words of the new page that stand on lines the old one does not have in that order."""
    old, new = ([" ".join(line.split()) for line in text.splitlines()] for text in (edit.old, edit.new))
    same = difflib.SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks()
    kept = sum(len(line.split()) for block in same for line in new[block.b : block.b + block.size])
    return len(edit.new.split()) - kept


def bill(found: list[Edit], split: Splitter) -> dict[str, Any]:
    """What one splitter makes of the edits."""
    sizes: list[int] = []
    again: list[int] = []
    sent = 0
    for edit in found:
        known = {part.embedded for part in split(edit.old)}
        for part in split(edit.new):
            sizes.append(len(part.text.split()))
            if part.embedded not in known:
                again.append(sizes[-1])
                sent += len(part.embedded.split())
    words = sum(len(edit.new.split()) for edit in found)
    return {
        "edits": len(found),
        "chunks": len(sizes),
        "median words": statistics.median(sizes),
        "chunks again": len(again) / len(sizes),
        "words again": sum(again) / sum(sizes),
        "words sent": sent / words,
        "floor": sum(map(on_changed_lines, found)) / words,
    }


def speed(found: list[Edit], split: Splitter, seconds: float = 3.0) -> float:
    """Megabytes cut in a second of CPU time: the best of three thirds, to be robust against other load."""
    texts = [edit.new for edit in found]
    best = 0.0
    for _ in range(3):
        size, start, at = 0, time.process_time(), 0
        while time.process_time() - start < seconds / 3:
            split(texts[at % len(texts)])
            size += len(texts[at % len(texts)].encode())
            at += 1
        best = max(best, size / 1e6 / (time.process_time() - start))
    return best


def measured(found: list[Edit], tokens: int) -> dict[str, Any]:
    """All there is to say. A page is rewritten when more than half of its words stand on changed lines."""
    split = ours(Chunk(tokens=tokens))
    rows = {f"headrace, {tokens} tokens": bill(found, split)}
    size = int(rows[f"headrace, {tokens} tokens"]["median words"])
    splitters = {
        f"headrace, {tokens} tokens, no headings": ours(Chunk(tokens=tokens, heading=False)),
        "recursive, 1,200 characters": recursive(1200),
        # About as many chunks as ours, and as ours of twice the size: small chunks flatter every splitter.
        "recursive, 520 characters": recursive(520),
        f"headrace, {2 * tokens} tokens": ours(Chunk(tokens=2 * tokens)),
        "recursive, 800 characters": recursive(800),
        "windows, 200 words": windows(200),
        f"windows, {size} words": windows(size),
    }
    rows |= {name: bill(found, other) for name, other in splitters.items()}
    kept = [edit for edit in found if 2 * on_changed_lines(edit) <= len(edit.new.split())]
    rows[f"headrace, {tokens} tokens, rewritten pages left out"] = bill(kept, split)
    return {
        "pages": len({edit.page for edit in found}),
        "words": sum(len(edit.new.split()) for edit in found),
        "megabytes per second": speed(found, split),
        "splitters": rows,
    }


def main() -> None:
    """Prints the table, or the same as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--cache", type=Path, default=Path.home() / ".cache" / "headrace-embedding-bill")
    parser.add_argument("--tokens", type=int, default=Chunk().tokens)
    chosen = parser.parse_args()
    result = measured(list(edits(fetched(chosen.cache))), chosen.tokens)
    if chosen.json:
        print(json.dumps(result, indent=2))
        return
    print(f"{result['pages']} pages, {result['words']:,} words; {result['megabytes per second']:.1f} MB/s\n")
    print("| splitter | edits | chunks | median words | chunks again | words again | words sent | floor |")
    print("|---|---|---|---|---|---|---|---|")
    for name, row in result["splitters"].items():
        shares = " | ".join(f"{row[column]:.1%}" for column in ("chunks again", "words again", "words sent", "floor"))
        print(f"| {name} | {row['edits']} | {row['chunks']:,} | {row['median words']:g} | {shares} |")


if __name__ == "__main__":
    main()
