"""What tells one lake from another, for stores that belong to one. No Spark."""

from uuid import uuid4

from headrace.stores.files import LakeFiles

_LAKE_ID = "publishers/lake-id"


def lake_id(files: LakeFiles, place: str = _LAKE_ID) -> str:
    """What tells this lake from every other; made once. Two lakes must not feed one store.

    Args:
        place: the file that keeps it, in a folder the job may write.
    """
    files.write_text(place, uuid4().hex)
    return known_lake_id(files, place)


def known_lake_id(files: LakeFiles, place: str = _LAKE_ID) -> str:
    """The same for those who only look; a word of its own before it is made."""
    return files.read_text(place) or "a lake without index_knowledge"
