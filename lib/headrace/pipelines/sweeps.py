"""The rare listing of a folder that also has events: it finds what was there before them, and what one was lost for."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from headrace.config_knowledge import FolderFeed
from headrace.knowledge.documents import DocumentEvent
from headrace.lake import Lake
from headrace.pipelines.document_feeds import FolderWatch, Remembered, stored_tags
from headrace.stores import objects
from headrace.stores.files import LakeFiles
from headrace.stores.objects import Found


def watch(lake: Lake, name: str, feed: FolderFeed, fingerprint: str) -> FolderWatch:
    """What lists a feed's folder."""
    stored = partial(stored_tags, lake, name, fingerprint)
    folder = ListedFolder(LakeFiles(lake.root), name)
    return Sweep(name, feed, stored, folder) if feed.events else FolderWatch(name, feed, stored(), folder)


@dataclass(frozen=True, slots=True)
class ListedFolder:
    """Which folder a feed listed, in a file of the lake."""

    files: LakeFiles
    feed: str

    def get(self) -> str | None:
        """What was kept."""
        return self.files.read_text(f"feeds/{self.feed}")

    def keep(self, folder: str) -> None:
        """Keep it."""
        self.files.replace_text(f"feeds/{self.feed}", folder)


@dataclass(slots=True)
class _Pause:
    """How many listings still pass before a document that could not be read is tried again."""

    tag: str
    length: int = 1
    left: int = 1


class Sweep(FolderWatch):
    """Compares a listing with what was applied: between two of them it is events that change that.

    Args:
        stored: the tags of the feed's living documents, as they were last applied.
    """

    def __init__(
        self, name: str, feed: FolderFeed, stored: Callable[[], Mapping[str, str]], remembered: Remembered
    ) -> None:
        super().__init__(name, feed, {}, remembered)
        self._stored = stored
        self._pauses: dict[str, _Pause] = {}

    def look(self) -> list[DocumentEvent]:
        """Events for what differs from what is stored, and looks at what is not there. Raises Unreachable."""
        tags = self._stored()
        position, there = self._list(tags)
        differing = [one for one in there.values() if one.tag and tags.get(one.name) != one.tag]
        names = {one.name for one in differing}
        self._pauses = {name: pause for name, pause in self._pauses.items() if name in names}
        due = [one for one in differing if self._turn(one)]
        gone = [name for name in tags if name not in there]
        feed = self._feed
        hidden = {name for name in gone if not objects.wanted(name, feed.include, feed.exclude)}
        # A look, not a delete: an event may bring it back before this is taken, and would not come again.
        looks = [
            self._told("look", name, objects.locator(feed.path, name), position) for name in gone if name not in hidden
        ]
        return looks + self._events(due, hidden, position)

    def _turn(self, one: Found) -> bool:
        """Whether to tell of it now: one that was told and still differs is told again after 1, 2, 4, ... listings.

        It cannot be read, now or for good: the store may answer the next time, and each time costs a reject.
        """
        pause = self._pauses.get(one.name)
        if pause is None or pause.tag != one.tag:
            self._pauses[one.name] = _Pause(one.tag)
            return True
        pause.left -= 1
        if pause.left > 0:
            return False
        pause.length *= 2
        pause.left = pause.length
        return True
