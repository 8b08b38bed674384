"""Documents as objects: a folder on disk or a prefix in S3, listed and loaded."""

import errno
import logging
import os
import stat
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

from headrace.errors import Unreachable
from headrace.ports import Loaded, Loader

log = logging.getLogger("headrace")
_NOTHING_THERE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG)
_TODO = "Check that it exists and that you may read it."


@dataclass(frozen=True, slots=True)
class Found:
    """One object of a listing.

    Attributes:
        name: its path below the root, with `/`.
        tag: changes whenever the content may have changed; "" where it is there and cannot be looked at.
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
    return (one for one in found if wanted(one.name, include, exclude))


def wanted(name: str, include: tuple[str, ...] = ("*",), exclude: tuple[str, ...] = ()) -> bool:
    """Whether a listing shows an object of this name: not a hidden one, and as the patterns say."""
    hidden = any(part.startswith(".") for part in name.split("/"))
    return not hidden and _any(name, include) and not _any(name, exclude)


def bucket_and_prefix(root: str) -> tuple[str, str]:
    """The bucket of `s3://bucket/folder`, and what every key below it begins with."""
    bucket, _, folder = root.removeprefix("s3://").partition("/")
    return bucket, folder.rstrip("/") + "/" if folder.rstrip("/") else ""


def locator(root: str, name: str) -> str:
    """Where to load the object of this name from."""
    return f"{root.rstrip('/')}/{name}"


def check(root: str) -> None:
    """Raise Unreachable unless the root is there and answers: where it does not, no object may count as gone."""
    found = _in_s3(root, most=1) if root.startswith("s3://") else _on_disk(root)
    next(found, None)


def loader(roots: Collection[str]) -> Loader:
    """A function that loads what is at a locator. It raises Unreachable.

    Args:
        roots: the folders on disk that files may be loaded from. What no listing of them would show, such as what lies
            behind a link to another place, is not there.
    """
    clients: dict[str, Any] = {}

    def load(locator: str, known: str | None) -> Loaded | None:
        if locator.startswith("s3://"):
            return _load_s3(clients, locator, known)
        return _load_file(locator, known) if any(_shown(root, locator) for root in roots) else None

    return load


def _any(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _on_disk(root: str) -> Iterator[Found]:
    if not os.path.isdir(root):
        raise Unreachable(where=root, expected="a folder", found="no such folder", todo=_TODO)

    def failed(error: OSError) -> None:
        # What cannot be listed must not count as deleted.
        raise _unreachable(error.filename or root, error)

    real_root = os.path.join(os.path.realpath(root), "")
    for folder, folders, names in os.walk(root, onerror=failed):
        for name in folders:
            if os.path.islink(os.path.join(folder, name)):
                _passed_over(os.path.join(folder, name), "it is a link to a folder")
        for name in names:
            path = os.path.join(folder, name)
            relative = os.path.relpath(path, root).replace(os.sep, "/")
            try:
                about = os.stat(path)
            except OSError as error:
                if error.errno not in _NOTHING_THERE:
                    _passed_over(path, f"{error.strerror}; what is known of it stays")
                    yield Found(relative, "", datetime.now(UTC), path)
                elif error.errno != errno.ENOENT:
                    _passed_over(path, str(error.strerror))
                continue
            if problem := _problem(path, about, real_root):
                _passed_over(path, problem)
                continue
            changed_at = datetime.fromtimestamp(about.st_mtime, UTC)
            yield Found(relative, _tag(about), changed_at, path)


def identity(root: str) -> str | None:
    """What tells a folder from another one at the same place; None for a prefix in S3, which is always the same."""
    if root.startswith("s3://"):
        return None
    try:
        about = os.stat(root)
    except OSError as error:
        raise _unreachable(root, error) from error
    return f"{about.st_dev}-{about.st_ino}"


def _shown(root: str, path: str) -> bool:
    """Whether a listing of the root would come to a path: through no link to a folder, and not out of the root."""
    below = os.path.relpath(path, root)
    try:
        real_root = os.path.realpath(root)
        folder = os.path.realpath(os.path.dirname(path)) == os.path.normpath(
            os.path.join(real_root, os.path.dirname(below))
        )
        return folder and os.path.realpath(path).startswith(os.path.join(real_root, ""))
    except (OSError, ValueError):  # a zero byte, which a key of S3 may hold and a path may not
        return False


def _problem(path: str, about: os.stat_result, real_root: str) -> str | None:
    """Why what is at a path is no document."""
    if not stat.S_ISREG(about.st_mode):
        return "it is no regular file"
    if os.path.islink(path) and not os.path.realpath(path).startswith(real_root):
        return "it is a link to a place outside of the folder"
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        return "its name is not UTF-8; rename it"
    return None


@cache
def _passed_over(path: str, problem: str) -> None:
    """Said once in a process: folders are listed every few seconds."""
    log.warning("%s is passed over: %s", os.fsencode(path).decode("utf-8", "backslashreplace"), problem)


def _tag(about: os.stat_result) -> str:
    return f"{about.st_mtime_ns}-{about.st_size}"


def _load_file(path: str, known: str | None) -> Loaded | None:
    try:
        with open(path, "rb", opener=_without_waiting) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return None
            # Before it is read: of a file that is being written the tag is too old rather than too new.
            tag = _tag(os.fstat(file.fileno()))
            return Loaded(tag, None if tag == known else file.read())
    except OSError as error:
        if error.errno in (*_NOTHING_THERE, errno.EISDIR):
            return None
        raise _unreachable(path, error) from error


def _without_waiting(path: str, flags: int) -> int:
    """A pipe would keep its reader waiting for a writer."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _in_s3(root: str, most: int = 1000) -> Iterator[Found]:
    bucket, prefix = bucket_and_prefix(root)
    try:
        lister = _client().get_paginator("list_objects_v2")
        for page in lister.paginate(Bucket=bucket, Prefix=prefix, PaginationConfig={"PageSize": most}):
            for one in page.get("Contents", ()):
                name = one["Key"].removeprefix(prefix)
                if name and not name.endswith("/"):
                    yield Found(name, one["ETag"].strip('"'), one["LastModified"], f"s3://{bucket}/{one['Key']}")
    except _aws_errors() as error:
        raise _unreachable(root, error) from error


def _load_s3(clients: dict[str, Any], locator: str, known: str | None) -> Loaded | None:
    bucket, _, key = locator.removeprefix("s3://").partition("/")
    if "s3" not in clients:
        clients["s3"] = _client()
    client = clients["s3"]
    condition = {"IfNoneMatch": f'"{known}"'} if known else {}
    try:
        found = client.get_object(Bucket=bucket, Key=key, **condition)
        return Loaded(found["ETag"].strip('"'), bytes(found["Body"].read()))
    except client.exceptions.NoSuchKey:
        return None
    except _aws_errors() as error:
        if known and _status(error) == 304:
            return Loaded(known, None)
        raise _unreachable(locator, error) from error


def _status(error: Exception) -> int | None:
    """The HTTP status a service answered with."""
    answer = getattr(error, "response", None) or {}
    status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode")
    return int(status) if status else None


def _client() -> Any:
    import boto3

    return boto3.client("s3")


def _aws_errors() -> tuple[type[Exception], ...]:
    from botocore.exceptions import BotoCoreError, ClientError

    return BotoCoreError, ClientError


def _unreachable(place: str, error: Exception) -> Unreachable:
    found = str(error).splitlines()[0][:300]
    return Unreachable(where=place, expected="an object store that answers", found=found, todo=_TODO)
