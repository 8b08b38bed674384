"""What the texts depend on."""

from importlib.metadata import PackageNotFoundError, version

_OWN = "1"
"""Goes up with every change here that gives another text for the same bytes."""

_PACKAGES = ("mammoth", "py3langid", "pypdfium2", "selectolax")


def fingerprint() -> str:
    """Parsers with their versions, and our own: an upgrade may change texts. A missing package counts as `none`."""
    return "; ".join((f"headrace-parse {_OWN}", *(f"{name} {_version(name)}" for name in _PACKAGES)))


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "none"
