"""For `06_from_rating_to_dataset`: what became of each rating, as rows to look at, and whether it is true."""

import json
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from headrace.config import Config
from headrace.config_datasets import Dataset
from headrace.notebooks.training import NAME
from headrace.pipelines.dataset_cleaning import cleaning_of, limits_for
from headrace.pipelines.dataset_versions import moves, versions
from headrace.pipelines.tables_view import LakeView
from headrace.stores.delta_reader import ROWS, DeltaReader, literal
from headrace.stores.mlflow_versions import MlflowVersions
from headrace.tables import DATASET_REFUSED, DATASET_ROWS, RATINGS, TURNS
from headrace.training.choose import Answer, Said, answers, examples, hashed_by
from headrace.training.clean import clean
from headrace.training.curate import ORIGINS
from headrace.training.duplicates import DuplicateRules, duplicates
from headrace.training.example import Example
from headrace.training.formats import format_named
from headrace.training.leaks import Leaks, leaks
from headrace.training.refused import Refused
from headrace.training.validate import problems
from headrace.training.verdict import Rated

_SAID = ("turn", "at", "question", "answer", "outcome", "ended", "regenerates", "person", "language", "model")
_RATED = ("turn", "at", "by", "kind", "rater", "value", "text")


def chosen(config: Config, kind: str = "") -> list[Example | Refused]:
    """What each rated answer becomes in a dataset of a kind, in plain Python; of the settings' where none is said."""
    settings, one = _settings(config)
    wanted = one.model_copy(update={"kind": kind}) if kind else one
    hashed = hashed_by(settings.key.get_secret_value().encode())
    found: list[Example | Refused] = []
    for conversation, turns, ratings in _conversations(config):
        kept: list[Answer] = []
        for answer in answers(conversation, turns, ratings, wanted, hashed):
            if isinstance(answer, Refused):
                found.append(answer)
            else:
                kept.append(answer)
        found += examples(kept, wanted)
    return found


def sizes(config: Config) -> list[dict[str, Any]]:
    """How many rows each table has."""
    view, paths = LakeView(config), (TURNS.path, RATINGS.path)
    return [{"table": path, **view.query(path, f"SELECT count(*) AS number FROM {ROWS}")[0]} for path in paths]


def kinds(config: Config) -> list[dict[str, Any]]:
    """How many examples each kind has, by where they come from."""
    told = []
    for kind in ("sft", "kto", "dpo"):
        origins = Counter(one.origin for one in chosen(config, kind) if isinstance(one, Example))
        told.append({"kind": kind, "examples": origins.total(), **dict(sorted(origins.items()))})
    return told


def judged(config: Config, begins: str) -> list[dict[str, Any]]:
    """The answers of conversations whose names begin so, with their ratings and what they become."""
    became = {(one.conversation, one.turn): one.origin for one in chosen(config) if isinstance(one, Example)}
    return [
        {
            "conversation": name, "question": said.question, "answer": said.answer,
            "ratings": ", ".join(f"{one.kind} {one.value or ''}".strip() for one in ratings if one.turn == said.turn),
            "becomes": became.get((name, said.turn), "nothing"),
        }
        for name, turns, ratings in _conversations(config) if name.startswith(begins)
        for said in sorted(turns, key=lambda said: said.turn)
    ]  # fmt: skip


def refused(config: Config, version: str) -> list[dict[str, Any]]:
    """What is not in a version, by step and reason."""
    sql = f"SELECT step, reason, count(*) AS examples FROM {ROWS} WHERE version = {literal(version)}"
    return LakeView(config).query(DATASET_REFUSED.path, f"{sql} GROUP BY step, reason ORDER BY examples DESC, reason")


def cleaned(config: Config) -> list[dict[str, Any]]:
    """Texts in which personal data was replaced, before and after."""
    settings, one = _settings(config)
    cleaning = cleaning_of(NAME, one, settings)
    rows = []
    for before in (one for one in chosen(config) if isinstance(one, Example)):
        after = clean(before, (), cleaning)
        if isinstance(after, Example) and after.completion != before.completion:
            rows.append({"said": before.completion, "in the dataset": after.completion})
    return rows


def twins(config: Config) -> list[dict[str, Any]]:
    """Every example that another one stands for, and how alike the two are."""
    whole, double = _cleaned(config)
    by_id = {one.id: one for one in whole}
    return [
        {"kept": by_id[one.of].completion, "left out": by_id[one.id].completion, "similarity": round(one.similarity, 2)}
        for one in sorted(double, key=lambda one: one.similarity)
    ]


def splits(config: Config, version: str) -> list[dict[str, Any]]:
    """Rows, persons and conversations of each split, and the share that was asked for."""
    sql = f"""SELECT split, count(*) AS examples, count(DISTINCT person) AS persons,
        count(DISTINCT component) AS components FROM {ROWS} WHERE version = {literal(version)} GROUP BY split"""
    rows = {row["split"]: row for row in LakeView(config).query(DATASET_ROWS.path, sql)}
    whole, asked = sum(row["examples"] for row in rows.values()), _settings(config)[1].splits
    return [
        {"split": name, "asked for": share, "got": round(rows[name]["examples"] / whole, 3), **rows[name]}
        for name, share in asked
    ]


def on_two_sides(config: Config, version: str) -> list[dict[str, Any]]:
    """Leaks of a version, and of rows dealt out at random, with duplicates and without: all pairs are compared."""
    whole, side = _cleaned(config)[0], sides(config, version)
    kept, dice = [one for one in whole if one.id in side], random.Random(1)

    def dealt(rows: Sequence[Example]) -> Leaks:
        return leaks(rows, {one.id: dice.choice(list(side.values())) for one in rows})

    found = {
        "this version": leaks(kept, side), "at random": dealt(kept), "at random, with duplicates": dealt(whole),
    }  # fmt: skip
    names = ("persons", "texts", "near_duplicates")
    return [{"drawn": how, **{name: getattr(one, name) for name in names}} for how, one in found.items()]


def sides(config: Config, version: str) -> dict[str, Any]:
    """The split of each example."""
    sql = f"SELECT example, split FROM {ROWS} WHERE version = {literal(version)} ORDER BY example"
    return {row["example"]: row["split"] for row in LakeView(config).query(DATASET_ROWS.path, sql)}


def first_line(folder: str) -> dict[str, Any]:
    """The first example of a version's folder, as the trainer gets it."""
    part = next(iter(sorted(Path(folder, "train").glob("part-*"))))
    line: dict[str, Any] = json.loads(part.read_text("utf-8").partition("\n")[0])
    return line


def is_there(folder: str) -> bool:
    """Whether there is such a folder."""
    return Path(folder).exists()


def remark(folder: str) -> str:
    """What the card of a version says of an erasure."""
    card = Path(folder, "README.md").read_text("utf-8")
    return next(line for line in card.splitlines() if "erasure" in line)


def wrong(config: Config, folder: str | Path, format: str) -> list[str]:
    """What a trainer would refuse."""
    limits = limits_for(_settings(config)[1], format)
    return [str(one) for one in problems(Path(folder), format_named(format), limits)]


def all_versions(config: Config) -> list[dict[str, Any]]:
    """Each version in the order of its making."""
    return [
        {"version": one.version, **one.rows, "moved": one.moved, "sources": one.sources, "revoked": one.revoked_why}
        for one in versions(DeltaReader(config.lake), NAME)[::-1]
    ]


def difference(config: Config, one: str, other: str) -> list[dict[str, Any]]:
    """Where examples stand in two versions."""
    found = moves(DeltaReader(config.lake), NAME, one, other)
    rows = [{"was in": was or "-", "is in": now or "-", "examples": count} for (was, now), count in found.items()]
    return sorted(rows, key=lambda row: (row["was in"], row["is in"]))


def by_person(config: Config, version: str) -> dict[str, int]:
    """How many examples of each person a version has: who has most comes first. The table has keyed hashes of them."""
    hashed = hashed_by(_settings(config)[0].key.get_secret_value().encode())
    people = {said.person for _, turns, _ in _conversations(config) for said in turns if said.person}
    names = {hashed(one): one for one in people}
    sql = f"SELECT person, count(*) AS n FROM {ROWS} WHERE version = {literal(version)} GROUP BY person"
    rows = LakeView(config).query(DATASET_ROWS.path, f"{sql} ORDER BY n DESC, person")
    return {names[row["person"]]: row["n"] for row in rows}


def aliases(config: Config) -> dict[str, str]:
    """What MLflow calls by a name."""
    settings = _settings(config)[0].mlflow
    assert settings is not None
    return MlflowVersions(settings).aliases(NAME)


def equals_truth(config: Config, version: str, without: str) -> bool:
    """Whether the version holds the examples that plain Python chooses, without a person, and no other."""
    whole, double = _cleaned(config, without)
    return set(sides(config, version)) == {one.id for one in whole} - {one.id for one in double}


def _cleaned(config: Config, without: str = "") -> tuple[list[Example], Sequence[Any]]:
    settings, one = _settings(config)
    cleaning, gone = cleaning_of(NAME, one, settings), hashed_by(settings.key.get_secret_value().encode())(without)
    some = [each for each in chosen(config) if isinstance(each, Example) and each.person != gone]
    tried = [clean(each, (), cleaning) for each in some]
    whole = [each for each in tried if isinstance(each, Example)]
    return whole, duplicates(whole, DuplicateRules(origins=ORIGINS))


def _settings(config: Config) -> tuple[Any, Dataset]:
    assert config.datasets is not None
    return config.datasets, config.datasets.sets[NAME]


def _conversations(config: Config) -> Iterator[tuple[str, list[Said], list[Rated]]]:
    """Turns and ratings of each conversation, as the tables hold them."""
    view = LakeView(config)
    said: dict[str, list[Said]] = {}
    for row in view.query(TURNS.path, f"SELECT conversation, purposes, {', '.join(_SAID)} FROM {ROWS}"):
        turn = Said(**{name: row[name] for name in _SAID})
        said.setdefault(row["conversation"], []).append(replace(turn, allowed="training" in (row["purposes"] or ())))
    rated: dict[str, list[Rated]] = {}
    columns = ", ".join(f'"{name}"' for name in _RATED)
    for row in view.query(RATINGS.path, f"SELECT conversation, {columns} FROM {ROWS}"):
        rated.setdefault(row["conversation"], []).append(Rated(**{name: row[name] for name in _RATED}))
    for name in sorted(said):
        yield name, said[name], rated.get(name, [])
