"""Documents as objects: a folder on disk or a prefix in S3, listed and loaded."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Any

from headrace.errors import Unreachable

_TODO = "Check that it exists and that you may read it."


@dataclass(frozen=True, slots=True)
class Found:
    """One object of a listing.

    Attributes:
        name: its path below the root, with `/`.
        tag: changes whenever the content may have changed.
        locator: where to load it from.
    """

    name: str
    tag: str
    changed_at: datetime
    locator: str


def listing(root: str, include: tuple[str, ...] = ("*",), exclude: tuple[str, ...] = ()) -> Iterator[Found]:
    """Every object below a root, in no order. `*` in a pattern stands for any text, `/` too; hidden names are left out.

    Raises:
        Unreachable: the root is not there or does not answer. An empty listing would delete everything.
    """
    found = _in_s3(root) if root.startswith("s3://") else _on_disk(root)
    for one in found:
        hidden = any(part.startswith(".") for part in one.name.split("/"))
        if not hidden and _any(one.name, include) and not _any(one.name, exclude):
            yield one


def loader() -> Callable[[str], bytes | None]:
    """A function that loads the content at a locator; None where there is nothing. It raises Unreachable."""
    clients: dict[str, Any] = {}

    def load(locator: str) -> bytes | None:
        if locator.startswith("s3://"):
            return _load_s3(clients, locator)
        try:
            with open(locator, "rb") as file:
                return file.read()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise _unreachable(locator, error) from error

    return load


def _any(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _on_disk(root: str) -> Iterator[Found]:
    if not os.path.isdir(root):
        raise Unreachable(where=root, expected="a folder", found="no such folder", todo=_TODO)

    def failed(error: OSError) -> None:
        # What cannot be listed must not count as deleted.
        raise _unreachable(error.filename or root, error)

    for folder, _, names in os.walk(root, onerror=failed):
        for name in names:
            path = os.path.join(folder, name)
            try:
                about = os.stat(path)
            except FileNotFoundError:
                continue
            changed_at = datetime.fromtimestamp(about.st_mtime, UTC)
            relative = os.path.relpath(path, root).replace(os.sep, "/")
            yield Found(relative, f"{about.st_mtime_ns}-{about.st_size}", changed_at, path)


def _in_s3(root: str) -> Iterator[Found]:
    bucket, _, prefix = root.removeprefix("s3://").partition("/")
    prefix = prefix.rstrip("/") + "/" if prefix else ""
    try:
        pages = _client().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        for page in pages:
            for one in page.get("Contents", ()):
                name = one["Key"].removeprefix(prefix)
                if name and not name.endswith("/"):
                    yield Found(name, one["ETag"].strip('"'), one["LastModified"], f"s3://{bucket}/{one['Key']}")
    except _aws_errors() as error:
        raise _unreachable(root, error) from error


def _load_s3(clients: dict[str, Any], locator: str) -> bytes | None:
    bucket, _, key = locator.removeprefix("s3://").partition("/")
    if "s3" not in clients:
        clients["s3"] = _client()
    client = clients["s3"]
    try:
        return bytes(client.get_object(Bucket=bucket, Key=key)["Body"].read())
    except client.exceptions.NoSuchKey:
        return None
    except _aws_errors() as error:
        raise _unreachable(locator, error) from error


def _client() -> Any:
    import boto3

    return boto3.client("s3")


def _aws_errors() -> tuple[type[Exception], ...]:
    from botocore.exceptions import BotoCoreError, ClientError

    return BotoCoreError, ClientError


def _unreachable(place: str, error: Exception) -> Unreachable:
    found = str(error).splitlines()[0][:300]
    return Unreachable(where=place, expected="an object store that answers", found=found, todo=_TODO)
