"""Personal data: precision and recall of the rules on the labelled set, by kind and by locale, and texts a second.

    python benchmarks/personal_data.py [--all]

The rules were made with one half of the set; the other half is printed only with `--all`.

A finding is right where it has the label's kind, covers it, and takes at most `SLACK` characters more. A label is found
where a right finding is; it is `left` where one of its characters stays in the text.
"""

import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "scripts"))

from personal_data_set import LOCALES, Line, later_lines, lines

from headrace.training.privacy import Finding, Privacy, replaced
from headrace.training.privacy_rules.kinds import KINDS

SLACK = 2
PRIVACY = Privacy(b"a key for the benchmark only")


def judged(line: Line, found: Sequence[Finding]) -> Iterable[tuple[str, str]]:
    """A kind and what happened to it: `right`, `wrong` (a finding), `missed` (a label), `left` (readable)."""
    open_ = set(line.spans)
    for one in found:
        right = [
            (begin, end, kind)
            for begin, end, kind in open_
            if kind == one.kind
            and one.begin <= begin
            and end <= one.end
            and one.end - one.begin - (end - begin) <= SLACK
        ]
        open_ -= set(right[:1])
        yield one.kind, "right" if right else "wrong"
    for begin, end, kind in line.spans:
        if (begin, end, kind) in open_:
            yield kind, "missed"
        gone = {at for one in found for at in range(one.begin, one.end)}
        if any(at not in gone for at in range(begin, end)):
            yield kind, "left"


def table(some: Sequence[Line], name: str) -> None:
    """Prints a table by kind and one by locale."""
    by_kind: Counter[tuple[str, str]] = Counter()
    by_locale: Counter[tuple[str, str]] = Counter()
    cells: Counter[tuple[str, str, str]] = Counter()
    for line in some:
        for kind, what in judged(line, replaced(line.text, PRIVACY, line.names)[1]):
            by_kind[kind, what] += 1
            by_locale[line.locale, what] += 1
            cells[kind, line.locale, what] += 1
    labels = Counter(kind for line in some for *_, kind in line.spans)
    where = Counter(line.locale for line in some for _ in line.spans)
    none = sum(not one.spans for one in some)
    print(f"\n{name}: {len(some):,} texts, {sum(labels.values()):,} labels, {none} texts with none\n")
    print(f"| kind | labels | precision | recall | left | recall {' / '.join(LOCALES)} |\n|---|---|---|---|---|---|")
    for kind in KINDS:
        across = [rate(cells[kind, one, "right"], cells[kind, one, "missed"]) for one in LOCALES]
        print(f"| {kind} | {labels[kind]} | {scores(by_kind, kind)} | {' / '.join(across)} |")
    print("\n| locale | labels | precision | recall | left |\n|---|---|---|---|---|")
    for locale in LOCALES:
        print(f"| {locale} | {where[locale]} | {scores(by_locale, locale)} |")
    total = Counter(what for _, what in by_kind.elements())
    print(f"| all | {sum(labels.values())} | {scores(Counter({('all', one): n for one, n in total.items()}), 'all')} |")


def rate(some: int, others: int) -> str:
    """A share with two digits."""
    return f"{some / (some + others):.2f}" if some + others else "-"


def scores(counts: Counter[tuple[str, str]], name: str) -> str:
    """The cells of a row."""
    right, wrong, missed, left = (counts[name, what] for what in ("right", "wrong", "missed", "left"))
    return f"{rate(right, wrong)} | {rate(right, missed)} | {left}"


def speed(some: Sequence[Line]) -> None:
    """Prints texts and characters a second of one core, the second time round."""
    for _ in range(2):
        start = time.process_time()
        for line in some:
            replaced(line.text, PRIVACY, line.names)
        took = time.process_time() - start
    signs = sum(len(line.text) for line in some)
    each = f"{signs / took / 1e6:.2f} million characters/s; {signs / len(some):.0f} characters a text"
    print(f"\n{len(some) / took:,.0f} texts a second of one core's time; {each}")


def main() -> None:
    """Prints it all."""
    some = lines()
    table([one for one in some if not one.held_out], "Looked at while the rules were made")
    if "--all" in sys.argv:
        table([one for one in some if one.held_out], "Held out")
        table([one for one in some if one.held_out and one.by_hand], "Held out, by hand")
        table(later_lines(), "By hand, written after the rules, looked at once")
        table(later_lines("by_hand_last.txt"), "By hand, written last, held out")
    speed(some)


if __name__ == "__main__":
    main()
