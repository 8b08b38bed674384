"""What is done to one example after another: personal data out; then what may not, or need not, be learned."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from headrace.training.decontaminate import Index, contaminated
from headrace.training.example import Example
from headrace.training.formats.format import Format
from headrace.training.limits import Limits
from headrace.training.privacy import Privacy, cleaned
from headrace.training.quality import refused
from headrace.training.quality_rules.parts import Quality
from headrace.training.refused import Refused


@dataclass(frozen=True, slots=True)
class Cleaning:
    """What is asked of every example. It can be pickled.

    Attributes:
        privacy: None leaves personal data in.
        index: what a model will be measured with.
        formats: every example must be a line of each, within its limits.
    """

    quality: Quality
    privacy: Privacy | None = None
    index: Index | None = None
    formats: Sequence[tuple[Format, Limits]] = ()


def clean(example: Example, names: Iterable[str], cleaning: Cleaning) -> Example | Refused:
    """The example as it may be learned from, or why it may not.

    Args:
        names: what its persons are called.
    """
    if cleaning.privacy is not None:
        example, _ = cleaned(example, cleaning.privacy, names)
    return _why_not(example, cleaning) or example


def _why_not(example: Example, cleaning: Cleaning) -> Refused | None:
    if found := refused(example, cleaning.quality):
        return found
    if cleaning.index is not None and (found := contaminated(example, cleaning.index)):
        return found
    reasons = (format.refusal(example, limits) for format, limits in cleaning.formats)
    return next((one for one in reasons if one is not None), None)
