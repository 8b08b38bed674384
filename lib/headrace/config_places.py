"""What the models say about every place of the settings: its keys, the names people choose, where secrets may stand.

A place is written as in `HINTS`: `sources.*.path`.
"""

from dataclasses import dataclass, field
from types import NoneType
from typing import Annotated, Any, Literal, NamedTuple, get_args, get_origin

from pydantic import BaseModel, SecretStr

from headrace.config import Config
from headrace.config_yaml import Path


class Spot(NamedTuple):
    """Where an error's place leads in the data.

    Attributes:
        rest: the last step, where the data lacks it.
        tag: which member of the last union on the way the value was taken for.
    """

    path: Path
    value: Any
    rest: tuple[int | str, ...] = ()
    tag: str = ""


@dataclass(frozen=True, slots=True)
class Mapping:
    """A mapping with known keys.

    Attributes:
        key: the key that says which of several kinds it is, such as `from`; empty where there is only one kind.
        kinds: the models by that key's value; by "" where there is only one.
    """

    key: str
    kinds: dict[str, type[BaseModel]]

    def keys(self, tag: str) -> list[str]:
        """The keys of one kind; `tag` does not matter where there is only one."""
        model = self.kinds[tag if self.key else ""]
        return [found.alias or name for name, found in model.model_fields.items()]

    def kinds_with(self, key: str) -> list[str]:
        """The kinds that have a key; none where there is only one kind."""
        return [tag for tag in self.kinds if tag and key in self.keys(tag)]


@dataclass(slots=True)
class _Survey:
    """All places, found by following the types of the models."""

    models: dict[str, list[type[BaseModel]]] = field(default_factory=dict)
    named: set[str] = field(default_factory=set)
    secrets: dict[str, None] = field(default_factory=dict)

    def visit(self, kind: Any, place: str) -> None:
        """Note what `kind`, the type of the value at `place`, holds."""
        origin, inner = get_origin(kind), get_args(kind)
        if kind is SecretStr:
            self.secrets[place] = None
        elif isinstance(kind, type) and issubclass(kind, BaseModel):
            self.model(kind, place)
        elif origin is dict:
            self.named.add(place)
            self.visit(inner[1], f"{place}.*")
        elif origin is tuple:
            self.visit(inner[0], f"{place}.*")
        elif origin is Annotated:
            self.visit(inner[0], place)
        elif origin is not Literal and kind is not NoneType:
            for member in inner:
                self.visit(member, place)

    def model(self, model: type[BaseModel], place: str) -> None:
        known = self.models.setdefault(place, [])
        if model not in known:
            known.append(model)
            for name, found in model.model_fields.items():
                key = found.alias or name
                self.visit(found.annotation, f"{place}.{key}" if place else key)


def _mapping(models: list[type[BaseModel]]) -> Mapping:
    if len(models) == 1:
        return Mapping("", {"": models[0]})
    for name, found in models[0].model_fields.items():
        tags = [_only_value(model, name) for model in models]
        if all(tags):
            return Mapping(found.alias or name, dict(zip(tags, models, strict=True)))
    raise TypeError(f"nothing tells {models} apart")


def _only_value(model: type[BaseModel], name: str) -> str:
    kind = model.model_fields[name].annotation if name in model.model_fields else None
    values = get_args(kind) if get_origin(kind) is Literal else ()
    return values[0] if len(values) == 1 and isinstance(values[0], str) else ""


_survey = _Survey()
_survey.visit(Config, "")

MAPPINGS = {place: _mapping(models) for place, models in _survey.models.items()}
NAMED = frozenset(_survey.named)
"""Mappings whose keys people choose."""

SECRETS = tuple(_survey.secrets)


def pattern_of(path: Path) -> str:
    """The path as `HINTS` writes it: names the user chose and places in lists become `*`."""
    parts: list[str] = []
    for part in path:
        chosen = not isinstance(part, str) or ".".join(parts) in NAMED
        parts.append("*" if chosen else str(part))
    return ".".join(parts)


def walk(loc: tuple[int | str, ...], data: Any) -> Spot:
    """Follow an error's place through the data; steps that name a member of a union are no part of it."""
    path: Path = ()
    value, tag = data, ""
    entered = False
    for index, step in enumerate(loc):
        mapping = MAPPINGS.get(pattern_of(path)) if entered else None
        entered = False
        if step == "[key]":
            return Spot((*path, step), value)
        if mapping and mapping.key and step in mapping.kinds:
            tag = str(step)
        elif isinstance(value, dict) and step in value:
            path, value, entered = (*path, step), value[step], True
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            path, value, entered = (*path, step), value[step], True
        elif index == len(loc) - 1:
            return Spot(path, value, (step,), tag)
    return Spot(path, value, (), tag)
