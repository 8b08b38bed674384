"""A person's story in words, for the command and for the page."""

from headrace.pipelines.explain import Happened, RecordOf
from headrace.pipelines.position_text import readable

_SAID = {
    "create": "became known",
    "merge": "was found to be one with",
    "split": "was found not to be one with",
    "retire": "has no record left",
    "refuse": "stays apart from others",
}


def known_by(one: RecordOf) -> str:
    """What a record is known by."""
    return ", ".join(
        f"{each.kind} {each.shown}" + (" (shared by too many)" if each.quarantined else "") for each in one.known_by
    )


def happened(one: Happened) -> str:
    """What happened, without the time."""
    others = f" {', '.join(one.others)}" if one.others else ""
    by = f" by {', '.join(one.by)}" if one.by else ""
    at = f" at {readable(one.position)}" if one.position else ""
    why = f" ({one.why})" if one.why else ""
    return f"{one.person} {_SAID.get(one.kind, one.kind)}{others}{why}: {one.cause} changed{at}{by}"
