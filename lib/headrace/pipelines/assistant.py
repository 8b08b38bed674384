"""Opens what an answer is made of, as the settings name it: the index and its model. No Spark."""

from contextlib import ExitStack
from datetime import timedelta
from types import TracebackType

from headrace.config import Config
from headrace.config_knowledge import Knowledge
from headrace.context.assemble import Assembler
from headrace.context.gather import Sources
from headrace.context.profile import Known, Profile, Profiles
from headrace.context.retrieve import Mode
from headrace.errors import ConfigError
from headrace.ports import Embedder, PassageReader
from headrace.stores.embedders import kept_embedder
from headrace.stores.indexes import reader

PATIENCE = timedelta(seconds=30)
"""A first question loads a model."""


class Opened:
    """An index and the model that its vectors need, and contexts made with them; to be closed.

    Args:
        index: of the settings; the first where not given.
        customer: who asks; or, for a process that answers many, what looks them up, which the caller closes.

    Raises:
        ConfigError: the settings name no such thing.
    """

    def __init__(
        self, config: Config, index: str | None, mode: Mode, customer: Profile | Profiles | None = None
    ) -> None:
        self._config, self.mode = config, mode
        settings = knowledge(config)
        with ExitStack() as opened:
            self.index = _index(settings, index)
            opened.callback(self.index.close)
            self.embedder = None if mode == "words" else _embedder(settings, self.index.model().fingerprint)
            self._customer = Known(customer) if isinstance(customer, Profile) else customer
            self._opened = opened.pop_all()

    def assembler(self, passages: int) -> Assembler:
        """What makes contexts with at most so many passages, for somebody who rather waits than goes without."""
        settings = self._config.assistant.context
        patient = {
            name: part.model_copy(update={"timeout": max(part.timeout, PATIENCE)})
            for name, part in (("profile", settings.profile), ("passages", settings.passages))
        }
        chosen = {"most_passages": passages, "mode": self.mode, **patient}
        return Assembler(settings.model_copy(update=chosen), Sources(self._customer, None, self.index, self.embedder))

    def __enter__(self) -> "Opened":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._opened.close()


def knowledge(config: Config) -> Knowledge:
    """The settings of what is searched. Raises ConfigError where there are none."""
    if config.knowledge is None:
        todo = "Add documents and an index to the settings; docs/knowledge.md shows how."
        raise ConfigError(where="knowledge", expected="documents and indexes", found="nothing", todo=todo)
    return config.knowledge


def _index(settings: Knowledge, name: str | None) -> PassageReader:
    chosen = name or next(iter(settings.indexes))
    if chosen not in settings.indexes:
        known = ", ".join(settings.indexes)
        raise ConfigError(where="--index", expected=f"one of {known}", found=chosen, todo="Name one of these.")
    return reader(settings.indexes[chosen])


def _embedder(settings: Knowledge, fingerprint: str) -> Embedder:
    """The model the index was built with; where the settings do not hold it, theirs, which is refused with a reason."""
    found = [kept_embedder(one) for one in settings.all_models().values()]
    return next((one for one in found if one.fingerprint == fingerprint), found[0])
