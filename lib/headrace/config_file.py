"""Reads the settings file: YAML -> environment and secrets -> `Config`, or one error that lists everything wrong."""

import os
import re
from collections.abc import Mapping
from pathlib import Path as FilePath
from typing import Any

from pydantic import SecretStr, ValidationError

from headrace.changes.formats.declared import declared
from headrace.config import Config
from headrace.config_hints import HINTS
from headrace.config_places import SECRETS, pattern_of
from headrace.config_problems import WrongSettings, from_pydantic, shown, wrong_as_a_whole
from headrace.config_yaml import Document, Path, Problem, read
from headrace.errors import ConfigError, HeadraceError
from headrace.stores.aws_settings import secret_value, settings_object

_VARIABLE = re.compile(r"\$\$\{|\$\{(?:(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\})?")
_SECRET_NAME = re.compile(
    r"(?i)password|passwd|secret|jaas|token|credential|(access|private|api).?key|ssl\.key|authorization|cookie"
)
_CREDENTIAL = re.compile(
    r"(?i)(password|passwd|secret|ssl\.keystore\.key|ssl\.key\.pem|(access|private|api).?key|token|authorization|cookie)$"
)
_CREDENTIAL_INSIDE = re.compile(r"(?i)(password|secret)\w*\s*=|://[^/@:]*:[^/@]+@")
_FROM_THE_FOLDER = (
    "lake",
    "checkpoints",
    "sources.*.path",
    "sources.*.ca_file",
    "sources.*.registry.ca_file",
    "knowledge.documents.*.path",
    "knowledge.indexes.*.path",
    "profiles.stores.*.path",
    "serve.stores.*.path",
    "serve.stores.*.ca_file",
    "profiles.stores.*.ca_file",
    "knowledge.indexes.*.ca_file",
    "knowledge.embed.ca_file",
    "knowledge.models.*.ca_file",
    "assistant.context.template",
    "assistant.conversations.store.path",
    "feedback.publish.*.path",
    "feedback.publish.*.ca_file",
    "assistant.conversations.store.ca_file",
    "assistant.events.path",
    "assistant.events.spool",
    "assistant.model.ca_file",
    "assistant.answers.fallback.*.ca_file",
    "web.audit",
    "datasets.folder",
    "datasets.sets.*.evaluation.*",
    "assistant.judge.model.ca_file",
    "alerts.outputs.*.ca_file",
)


def load(path: str | os.PathLike[str], environ: Mapping[str, str] = os.environ) -> Config:
    """Return the settings in `path`.

    `${NAME}` and `${NAME:-default}` in any text are taken from `environ` (`$${` is a plain `${`), and
    `{secret: env:NAME}` and `{secret: aws:NAME#KEY}` (AWS Secrets Manager) become a `SecretStr`.

    Relative paths (`lake`, `checkpoints`, folders of sources and documents, files of indexes) are taken from the folder
    of the file and come back absolute; a file in S3 may hold none.

    Args:
        path: a file, or `s3://bucket/key`.

    Raises:
        ConfigError: the file is missing, unreadable or wrong; its text lists every problem with the key's path, what
            was expected, what was found and an example.
    """
    in_s3 = str(path).startswith("s3://")
    document = read(settings_object(str(path)) if in_s3 else _text(FilePath(path)))
    if document.data is None and not document.problems:
        document.problems.append(Problem((), "settings: lake, sources and tables", "an empty file", "lake: ./lake"))
    if document.data is not None:
        document.data = _Values(document, environ, None if in_s3 else FilePath(path).parent).resolve(document.data, ())
    config = _validated(document)
    if config is None:
        raise WrongSettings(str(path), document.problems, document.lines)
    return config


def _text(file: FilePath) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        found = f"a byte that is not UTF-8 at {error.start}"
        raise ConfigError(expected="a UTF-8 file", found=found, todo="Save it as UTF-8.", where=str(file)) from None
    except FileNotFoundError:
        todo = "Name it with --config, or run `headrace init` to make one."
        raise ConfigError(expected="a settings file", found="no such file", todo=todo, where=str(file)) from None
    except OSError as error:
        found = (error.strerror or str(error)).lower()
        todo = "Name a file you may read with --config."
        raise ConfigError(expected="a settings file", found=found, todo=todo, where=str(file)) from None


def _validated(document: Document) -> Config | None:
    config, data = None, document.data
    if data is not None:
        try:
            config = Config.model_validate(data)
        except ValidationError as error:
            # First, as its words are better than those of the models.
            document.problems += wrong_as_a_whole(data)
            known = {problem.path for problem in document.problems}
            document.problems += [problem for problem in from_pydantic(error, data) if problem.path not in known]
        document.problems += _unreadable_types(data)
    return None if document.problems else config


def _unreadable_types(data: Any) -> list[Problem]:
    tables = data.get("tables") if isinstance(data, dict) else None
    problems = []
    for name, table in tables.items() if isinstance(tables, dict) else ():
        types = table.get("types") if isinstance(table, dict) else None
        for column, kind in types.items() if isinstance(types, dict) else ():
            try:
                declared(kind) if isinstance(kind, str) else None
            except ConfigError as error:
                path = ("tables", name, "types", column)
                problems.append(Problem(path, error.expected, shown(kind, path), f"{column}: decimal(10,2)"))
    return problems


class _Values:
    """Fills in variables, secrets and folders. Whatever cannot be filled in becomes a problem."""

    def __init__(self, document: Document, environ: Mapping[str, str], folder: FilePath | None) -> None:
        self.document, self.environ, self.folder = document, environ, folder

    def resolve(self, value: Any, path: Path) -> Any:
        if isinstance(value, dict):
            secret = value.get("secret")
            if len(value) == 1 and isinstance(secret, str) and (self.may_be_secret(path) or secret.startswith("env:")):
                return self.secret(secret, path)
            return {key: self.resolve(item, (*path, key)) for key, item in value.items()}
        if isinstance(value, list):
            return [self.resolve(item, (*path, index)) for index, item in enumerate(value)]
        return self.text(value, path) if isinstance(value, str) else value

    def text(self, value: str, path: Path) -> str | SecretStr:
        filled = _VARIABLE.sub(lambda found: self.variable(found, path), value)
        place = pattern_of(path)
        if place in SECRETS and _is_plain_credential(place, str(path[-1]), value):
            found = "a credential as plain text, not shown"
            example = f"{path[-1]}: {{secret: env:NAME}}" if place.endswith("*") else HINTS[place].example
            self.problem(path, "a secret from the environment", found, example)
        # A password inside a longer option, such as a JAAS line, must not print either.
        if place in SECRETS and (not place.endswith("*") or _SECRET_NAME.search(str(path[-1]))):
            return SecretStr(filled)
        if place in _FROM_THE_FOLDER:
            if "\0" in filled:
                self.problem(path, "the name of a file or folder", "a NUL character in it", HINTS[place].example)
            filled = self.absolute(filled, path)
        return FromEnvironment(filled) if _VARIABLE.search(value) else filled

    def absolute(self, filled: str, path: Path) -> str:
        if self.folder is not None:
            return absolute(filled, self.folder)
        if not re.match(r"/|[A-Za-z][A-Za-z0-9+.-]+:/", filled):
            expected = "a whole path, as these settings lie in S3"
            example = f"{path[-1]}: s3://bucket/{path[-1]}"
            self.problem(path, expected, shown(filled, path), example)
        return filled

    def variable(self, found: re.Match[str], path: Path) -> str:
        if found[0] == "$${":
            return "${"
        name, default = found["name"], found["default"]
        if name is None:
            hint = "Write $${ where the text itself holds ${."
            self.problem(path, "${NAME} or ${NAME:-default}", "${ without a name and }", "path: ${FOLDER}", hint)
            return ""
        # As in a shell, `:-` also stands in for a variable that is set to nothing.
        value = self.environ.get(name)
        if default is not None and not value:
            return str(default)
        if value is None:
            hint = f"Set it, or write ${{{name}:-default}}."
            self.problem(path, f"the environment variable {name}", "no such variable", f"export {name}=...", hint)
        return value or ""

    def secret(self, reference: str, path: Path) -> SecretStr:
        scheme, _, name = reference.partition(":")
        if not self.may_be_secret(path):
            near = [place for place in SECRETS if place.startswith("knowledge.") == (path[:1] == ("knowledge",))]
            expected = "no secret here, as this value is written into tables or logs"
            hint = f"Secrets may stand in {', '.join(place.removesuffix('.*') for place in near)}."
            self.problem(path, expected, "a secret", HINTS[near[0]].example, hint)
        elif scheme == "aws" and name:
            return self.from_aws(name, path)
        elif scheme != "env" or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
            example = HINTS[pattern_of(path)].example
            expected = "env: and the name of a variable, or aws: and a name in Secrets Manager"
            self.problem((*path, "secret"), expected, "something else", example)
        elif not self.environ.get(name):
            found = "it empty" if name in self.environ else "no such variable"
            self.problem((*path, "secret"), f"the environment variable {name}", found, f"export {name}=...")
        return SecretStr(self.environ.get(name, ""))

    def from_aws(self, name: str, path: Path) -> SecretStr:
        try:
            return SecretStr(secret_value(name))
        except HeadraceError as error:
            example = f"{path[-1]}: {{secret: aws:prod/headrace#{path[-1]}}}"
            self.problem((*path, "secret"), error.expected, error.found, example, error.todo)
            return SecretStr("")

    def may_be_secret(self, path: Path) -> bool:
        return pattern_of(path) in SECRETS

    def problem(self, path: Path, expected: str, found: str, example: str, hint: str = "") -> None:
        self.document.problems.append(Problem(path, expected, found, example, hint))


def _is_plain_credential(place: str, name: str, value: str) -> bool:
    if not value or _VARIABLE.search(value.replace("$${", "")):
        return False
    if "jaas" in name.lower() or name == "url":  # a login without a password is no credential
        return bool(_CREDENTIAL_INSIDE.search(value))
    return not place.endswith("*") or bool(_CREDENTIAL.search(name))


class FromEnvironment(str):
    """Text that holds a value of the environment; messages do not show it."""


def absolute(path: str, folder: FilePath) -> str:
    """`path` as it is where it is a URI or absolute, else below `folder`."""
    if not path or re.match(r"[A-Za-z][A-Za-z0-9+.-]+:/", path):
        return path
    return os.path.abspath(folder / os.path.expanduser(path))
