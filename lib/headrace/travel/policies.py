"""The company's documents as files, and what its staff change in them."""

from importlib.resources import files
from pathlib import Path

EDITS = {
    "check-in.md": ("Online check-in opens 36 hours before", "Online check-in opens 48 hours before"),
    "payment.html": ("six cost 4.9% and twelve 7.9% a year", "six cost 3.9% and twelve 6.9% a year"),
}
"""Words that two of the documents hold, and the words that take their place."""

REMOVED = "pets.md"


def write_policies(folder: Path) -> int:
    """Write every document into a folder, which is made where missing; how many there are."""
    folder.mkdir(parents=True, exist_ok=True)
    documents = list(files("headrace.travel").joinpath("documents").iterdir())
    for document in documents:
        (folder / document.name).write_bytes(document.read_bytes())
    return len(documents)


def edit_policies(folder: Path) -> None:
    """Change two of the documents in `folder`, and remove a third."""
    for name, (old, new) in EDITS.items():
        text = (folder / name).read_text("utf-8")
        if old not in text:
            raise ValueError(f"{name}: expected {old!r} in it")
        (folder / name).write_text(text.replace(old, new), encoding="utf-8")
    (folder / REMOVED).unlink()
