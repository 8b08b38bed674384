"""The labelled set of personal data: what it holds, and floors below the figures that the docs tell."""

import re
import sys
from collections import Counter
from pathlib import Path

import pytest

from headrace.training.privacy import Privacy, replaced
from headrace.training.privacy_rules.kinds import KINDS

ROOT = Path(__file__).parents[3]
PRIVACY = Privacy(b"a key for this test alone")


@pytest.fixture(scope="module")
def labelled():
    folders = [str(ROOT / "scripts"), str(ROOT / "benchmarks")]
    sys.path[:0] = folders
    try:
        import personal_data
    finally:
        sys.path[:] = [one for one in sys.path if one not in folders]
    return personal_data


def test_the_set_is_as_large_as_the_docs_say(labelled):
    lines = labelled.lines()
    kinds = Counter(kind for line in lines for *_, kind in line.spans)
    assert set(kinds) == set(KINDS) and sum(kinds.values()) >= 1_000
    assert len({line.locale for line in lines}) == 5
    assert sum(not line.spans for line in lines) >= 500
    assert lines == labelled.lines()
    looked_at, held_out = (
        {(kind, line.locale) for line in lines if line.held_out is half for *_, kind in line.spans}
        for half in (False, True)
    )
    assert looked_at == held_out and len(held_out) > 5 * 12


def test_labels_are_where_they_say(labelled):
    for line in labelled.lines():
        for begin, end, kind in line.spans:
            value = line.text[begin:end]
            assert value == value.strip()
            assert kind != "EMAIL" or re.search(r"@| at |%40|[(\[]at", value), line.text
            assert kind not in ("CARD", "SSN", "PHONE", "IBAN") or re.search(r"\d{2}", value), line.text


def test_half_of_it_was_held_out_and_both_halves_are_found(labelled):
    """Floors by kind; the figures themselves are in docs/training-privacy.md."""
    for half in (False, True):
        counts: Counter[tuple[str, str]] = Counter()
        for line in labelled.lines():
            if line.held_out is half:
                counts.update(labelled.judged(line, replaced(line.text, PRIVACY, line.names)[1]))
        total = Counter()
        for (kind, what), count in counts.items():
            total[what] += count
            total[kind, what] += count
        assert total["right"] / (total["right"] + total["wrong"]) >= 0.98
        assert total["right"] / (total["right"] + total["missed"]) >= 0.97
        for kind in KINDS:
            right, missed = total[kind, "right"], total[kind, "missed"]
            floor = 0.7 if kind in ("SSN", "PASSPORT", "NATIONAL_ID") else 0.9
            assert right / (right + missed) >= floor, (kind, half)
