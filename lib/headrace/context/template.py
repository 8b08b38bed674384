"""The words around the items: a text with `$items` and other placeholders, checked before it is used."""

from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from string import Template as Text

from headrace.errors import ConfigError

PLACEHOLDERS = {
    "items": "the items, one line of JSON each, between two lines that bound them",
    "begin": "the line before the items",
    "end": "the line after the items",
    "now": "the moment of the question, in UTC",
    "missing": "what did not answer, one sentence",
}
_WHERE = "assistant.context.template"


@dataclass(frozen=True, slots=True)
class Template:
    """A template that can be filled.

    Attributes:
        version: tells two templates apart: the beginning of a hash of the text.
    """

    text: str
    version: str

    def filled(self, **values: str) -> str:
        """The text with its placeholders replaced, once: a `$` in a value stays one."""
        return Text(self.text).substitute(values)


def load(path: str | None) -> Template:
    """The template in a file; Headrace's own where no file is named.

    Raises:
        ConfigError: it cannot be read, or its placeholders do not fit.
    """
    if path is None:
        return checked(files("headrace.context").joinpath("prompt.txt").read_text("utf-8"), "prompt.txt")
    try:
        return checked(Path(path).expanduser().read_text("utf-8"), path)
    except (OSError, UnicodeDecodeError) as error:
        todo = "Name a text file, or no file to take Headrace's own words."
        raise ConfigError(expected="a template in UTF-8", found=str(error), todo=todo, where=_WHERE) from error


def checked(text: str, name: str) -> Template:
    """The template of this text.

    Raises:
        ConfigError: it names what there is not, does not name `$items` once, or has a `$` that begins no name.
    """
    template = Text(text)
    known = ", ".join(f"${one}" for one in PLACEHOLDERS)
    if not template.is_valid():
        found = f"a $ in {name} that begins no name"
        raise ConfigError(expected=f"{known}, and $$ for a $", found=found, todo="Write $$.", where=_WHERE)
    names = template.get_identifiers()
    if unknown := sorted(set(names) - set(PLACEHOLDERS)):
        todo = "Take it out, or write $$ for a $."
        raise ConfigError(expected=known, found=f"${unknown[0]} in {name}", todo=todo, where=_WHERE)
    times = len([one for one in text.replace("$$", "").split("$") if one.startswith(("items", "{items}"))])
    if "items" not in names or times != 1:
        found = f"{times} in {name}" if "items" in names else f"none in {name}"
        todo = "Put $items where the items belong."
        raise ConfigError(expected="$items once", found=found, todo=todo, where=_WHERE)
    return Template(text, sha256(text.encode()).hexdigest()[:12])
