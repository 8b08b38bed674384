"""The part of `headrace status` that tells of turns, ratings and their measures."""

from collections.abc import Iterable

from headrace.commands.text import aligned, moment, number
from headrace.pipelines.feedback_status import FeedbackStatus


def feedback_lines(found: FeedbackStatus) -> Iterable[str]:
    """What was told, how far it was read and counted, what fires, and what is still to be done."""
    rows = [
        (name, f"{number(one.lag.behind)} {one.lag.unit}" if one.lag.behind is not None else "unknown",
         number(one.batch))
        for name, one in found.sources.items()
    ]  # fmt: skip
    yield aligned(("turns and ratings from", "behind", "batch"), rows)
    yield from (f"{name}: {one.lag.why}" for name, one in found.sources.items() if one.lag.why)
    if not (found.turns or found.ratings or found.newest_minute):
        yield "No turn was told yet; `headrace run track_feedback --once` reads what is there."
    else:
        turns, ratings = moment(found.newest_turn), moment(found.newest_rating)
        yield f"{number(found.turns)} turns, newest {turns}; {number(found.ratings)} ratings, newest {ratings}."
        yield f"Measures up to {moment(found.newest_minute)}, last changed {moment(found.counted_at)}."
    if found.unscored:
        yield f"{number(found.unscored)} comments wait to be asked about, and count in no measure of sentiment."
    if found.settled_before is not None:
        yield f"Conversations that ended before {moment(found.settled_before)} have left by feedback.keep."
    for name, rule in found.rules.items():
        if rule.says == "fires":
            numbers = " ".join(f"{one}={value:.4g}" for one, value in rule.numbers.items())
            yield f"Alert {name} fires: {numbers}; last told {moment(rule.last)}."
    if found.rules and all(rule.says != "fires" for rule in found.rules.values()):
        yield f"None of {number(len(found.rules))} rules of alerts fires."
    if found.why:
        yield f"Rules of alerts: {found.why}"
    for reject in found.rejects:
        yield f"Refused events: {number(reject['count'])} ({reject['reason']}), e.g. {reject['example']}"
    for name, store in found.behind.items():
        since = f"since {moment(store.since)}" if store.since else "since before what Delta's log tells"
        yield f"Published measures: store {name} is behind {since}{': ' * bool(store.why)}{store.why}"
    for name in found.open_erasures:
        yield f"Open erasure: {name}; `headrace run track_feedback --once` carries it out."
