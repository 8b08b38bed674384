"""The plan of a batch, kept in a file."""

import tempfile

from hypothesis import given, settings

from headrace.identifiers.normalise import Value
from headrace.pipelines import profile_plan
from headrace.pipelines.profile_placed import Moved
from headrace.pipelines.profile_plan import Plan
from headrace.profiles.links import Ref
from headrace.stores.files import LakeFiles
from properties.test_identity import Memory, histories

MOVED = [Moved("behaviour", "clicks", '["\\u00e9"]', "r\x1fcalls\x1f1\x1e2026-11-01T07", "")]


@settings(max_examples=60)
@given(histories)
def test_a_plan_comes_back_as_it_was_kept(history: list[list[tuple[Ref, tuple[Value, ...] | None]]]) -> None:
    memory = Memory()
    with tempfile.TemporaryDirectory() as folder:
        files = LakeFiles(folder)
        assert profile_plan.read(files) is None
        for number, batch in enumerate(history):
            plan = Plan(number, [ref for ref, _ in batch], memory.take(dict(batch)), MOVED)
            profile_plan.keep(files, plan)
            assert profile_plan.read(files) == plan
        profile_plan.done(files)
        profile_plan.done(files)
        assert profile_plan.read(files) is None
