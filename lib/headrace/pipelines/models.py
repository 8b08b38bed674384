"""Which models a lake's passages are made with, kept in the lake itself: readers see those of one of them.

A change of model never mixes vectors: each model has its own generation in every index, and the settings only say what
may be changed to.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace

from headrace.errors import ConfigError, Fatal
from headrace.ports import Model
from headrace.stores.files import LakeFiles

PLACE = "publishers/models.json"


@dataclass(frozen=True, slots=True)
class Known:
    """A model as the lake remembers it: its name in the settings and its fingerprint."""

    name: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Models:
    """The models served.

    Attributes:
        active: readers see its passages.
        filling: becomes active once it is in step.
        before: was active; kept in step, to go back to.
        request: the newest request for a way back or a drop that this is the outcome of.
    """

    active: Known
    filling: Known | None = None
    before: Known | None = None
    request: str = ""

    def all(self) -> list[Known]:
        """Each once, the active one first."""
        return list(dict.fromkeys(one for one in (self.active, self.before, self.filling) if one is not None))

    def fill(self, model: Known) -> "Models":
        """Another model is being filled."""
        return replace(self, filling=model)

    def filled(self) -> "Models":
        """What was being filled is active, and what was active is kept."""
        return self if self.filling is None else replace(self, active=self.filling, filling=None, before=self.active)

    def back(self) -> "Models":
        """What was active before is active again."""
        return self if self.before is None else replace(self, active=self.before, before=self.active)

    def without(self, name: str) -> "Models":
        """The one of this name is served no more, unless it is active."""

        def kept(one: Known | None) -> Known | None:
            return None if one is not None and one.name == name else one

        return replace(self, filling=kept(self.filling), before=kept(self.before))


def read(files: LakeFiles) -> Models | None:
    """What the lake says; None for a new lake."""
    text = files.read_text(PLACE)
    if text is None:
        return None
    said = json.loads(text)
    roles = {role: Known(**said[role]) if said[role] else None for role in ("filling", "before")}
    return Models(Known(**said["active"]), **roles, request=said.get("request", ""))


def write(files: LakeFiles, models: Models) -> None:
    """Remember. From here on it is true: indexes that say otherwise are brought in line at the next start."""
    files.replace_text(PLACE, json.dumps(asdict(models), indent=2) + "\n")


def known(name: str, model: Model) -> Known:
    """A model as the lake remembers it."""
    return Known(name, model.fingerprint)


def generation_of(fingerprint: str) -> str:
    """The generation of an index that holds this model's vectors."""
    return fingerprint[:12]


def located(models: Models, made: Callable[[str], Model], names: Mapping[str, object]) -> Models:
    """The models under the names they have in today's settings; one that was renamed is found by its fingerprint.

    Args:
        made: the model the settings hold under a name.
        names: the names there are.

    Raises:
        Fatal: the active one is not in the settings any more. Others are passed over then.
    """

    def find(one: Known | None) -> Known | None:
        if one is None or (one.name in names and made(one.name).fingerprint == one.fingerprint):
            return one
        name = next((name for name in names if made(name).fingerprint == one.fingerprint), None)
        return None if name is None else Known(name, one.fingerprint)

    active = find(models.active)
    if active is None:
        raise Fatal(
            where="knowledge.embed",
            expected=f"the model whose passages readers see, {models.active.name!r}, as it was",
            found="other settings: their vectors do not mix",
            todo="Set it back; add the new one to knowledge.models, then `headrace rebuild vectors --model NAME`.",
        )
    return replace(models, active=active, filling=find(models.filling), before=find(models.before))


def unknown_model(name: str, names: Mapping[str, object]) -> ConfigError:
    """The error for a model that is not in the settings."""
    return ConfigError(
        where="--model",
        expected=f"a model of the settings ({', '.join(names)})",
        found=name,
        todo="Add it under knowledge.models.",
    )


def progress_place(index: str, fingerprint: str) -> str:
    """The file that keeps how far a generation of an index has come."""
    return f"publishers/{index}-{generation_of(fingerprint)}.json"
