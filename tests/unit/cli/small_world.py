"""What the tests of verbs on a small lake share."""

from datetime import UTC, datetime

START = datetime(2026, 3, 1, 8, tzinfo=UTC)


def user(op: str, seq: int, **values: object) -> dict[str, object]:
    """A row of the feed for the table `users`."""
    return {"table": "users", "op": op, "seq": seq, **values}


def lines(text: str) -> list[str]:
    """The lines, without what aligns them."""
    return [" ".join(line.split()) for line in text.splitlines()]


def everything(small) -> list[str]:
    """All files and folders of the deployment."""
    return sorted(str(path) for path in small.folder.rglob("*"))
