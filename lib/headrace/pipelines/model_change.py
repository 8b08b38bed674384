"""Which models are served, and how one follows another with no moment in which readers miss a passage."""

import logging
import time
from dataclasses import replace

from headrace.errors import ConfigError, Fatal, NotThere
from headrace.pipelines import generation_check, models, rebuilds
from headrace.pipelines.index_parts import Parts, ServedModel
from headrace.pipelines.models import Known, Models, generation_of
from headrace.pipelines.publish import Publisher
from headrace.pipelines.rebuilds import Rebuild
from headrace.ports import VectorIndex
from headrace.stores.files import LakeFiles

log = logging.getLogger("headrace")
CHECK_EVERY = 10.0


class ModelChange:
    """Keeps the lake's word on models, carries out requests, and shows a new generation once it is in step.

    Attributes:
        problems: what the last check of a filled generation found.
    """

    def __init__(self, parts: Parts, files: LakeFiles) -> None:
        self._parts, self._files = parts, files
        self._check_at = 0.0
        self._refilling: dict[str, tuple[Rebuild, list[Publisher]]] = {}
        self._aligned = True
        self.problems: list[str] = []

    def start(self) -> None:
        """Open every model at work, and bring indexes in line with what the lake says readers see."""
        names = self._parts.settings.all_models()
        said = models.read(self._files)
        if said is None:
            first = next(iter(names))
            said = Models(models.known(first, self._parts.made(first)))
        self._models = models.located(said, self._parts.made, names)
        for one in self._models.all():
            self._parts.add(one.name)
        self.show()
        self._forget_others(said)
        models.write(self._files, self._models)

    def _forget_others(self, said: Models) -> None:
        """What left the settings is kept up to date by nobody: it would hold texts that are deleted later."""
        kept = {one.fingerprint for one in self._models.all()}
        for one in said.all():
            if one.fingerprint not in kept:
                log.warning("model=%s is not in the settings any more: its passages are dropped", one.name)
                self._parts.forget(one.fingerprint)

    @property
    def filling(self) -> bool:
        """Whether a model is on its way to readers."""
        return self._models.filling is not None

    def carry_out(self) -> None:
        """Look for requests and begin what they ask."""
        for request in rebuilds.list_open(self._files):
            if request.file == self._models.request:
                # A store was away, or the job ended, before it was done with.
                self._align()
                self._forget_dropped(request)
                self._done_with(request)
        self._overtake()
        for request in rebuilds.list_open(self._files):
            if request.file in self._refilling or self._fills(request):
                continue
            try:
                self._begin(request)
            except Fatal as error:
                self._done(request, {"refused": str(error)})

    def _overtake(self) -> None:
        """Who asks for the way back wants the model of before, not one that was asked for earlier and comes later."""
        opened = rebuilds.list_open(self._files)
        back = max((one.requested_at for one in opened if one.kind == "rollback"), default=None)
        if back is None or self._models.before is None:
            return
        for older in opened:
            if older.kind == "model" and older.requested_at < back:
                if self._fills(older):
                    self._become(replace(self._models, filling=None))
                self._done(older, {"overtaken": "a way back was asked for later"})

    def settle(self) -> None:
        """Finish what has come in step since, and what a store that was away kept from being done."""
        if not self._aligned:
            self._align()
        for file, (request, publishers) in list(self._refilling.items()):
            if not any(publisher.filling for publisher in publishers):
                del self._refilling[file]
                self._done(request, {"filled": request.name})
        filling = self._models.filling
        if filling is not None and time.monotonic() >= self._check_at and self._served(filling).in_step:
            self._finish(filling)

    def _finish(self, filling: Known) -> None:
        one = self._served(filling)
        self.problems = generation_check.problems(self._parts.lake, one)
        if self.problems:
            self._check_at = time.monotonic() + CHECK_EVERY
            log.warning("model=%s is not shown to readers yet: %s", filling.name, "; ".join(self.problems))
            return
        asked = [request for request in rebuilds.list_open(self._files) if self._fills(request)]
        self._become(self._models.filled())
        for request in asked:
            self._done(request, {"active": filling.name, "documents_not_embedded": one.lane.given_up})

    def _fills(self, request: Rebuild) -> bool:
        """Whether the request is the one being carried out."""
        filling = self._models.filling
        return filling is not None and request.kind == "model" and request.name == filling.name

    def _begin(self, request: Rebuild) -> None:
        match request.kind:
            case "model":
                self._fill(request)
            case "index":
                self._refill(request)
            case "rollback":
                self._back(request)
            case "drop":
                self._drop(request)

    def _fill(self, request: Rebuild) -> None:
        name, names = str(request.name), self._parts.settings.all_models()
        if name not in names:
            raise models.unknown_model(name, names)
        wanted = models.known(name, self._parts.made(name))
        if wanted.fingerprint == self._models.active.fingerprint:
            self._done(request, {"active": name})
            return
        if self._models.filling is not None:
            found, todo = f"{self._models.filling.name} on its way", "Wait for it, or drop it."
            raise ConfigError(where=name, expected="one change of model at a time", found=found, todo=todo)
        self._become(self._models.fill(wanted))
        log.info("model=%s is being filled", name)

    def _refill(self, request: Rebuild) -> None:
        publishers = [one for served in self._parts.served for one in served.publishers if one.name == request.name]
        if not publishers:
            expected = f"an index of the settings ({', '.join(self._parts.settings.indexes)})"
            raise ConfigError(expected=expected, found=str(request.name), todo="Name one of these.")
        for publisher in publishers:
            publisher.refill()
        self._refilling[request.file] = (request, publishers)

    def _back(self, request: Rebuild) -> None:
        if self._models.before is None:
            raise ConfigError(expected="a model that was active before", found="none", todo="There is no way back.")
        self._become(replace(self._models.back(), request=request.file))
        self._done_with(request)

    def _drop(self, request: Rebuild) -> None:
        wanted = self._models.without(str(request.name))
        if wanted == self._models:
            expected = "a model that is filled or kept beside the active one"
            raise ConfigError(expected=expected, found=str(request.name), todo="`headrace status` lists them.")
        self._become(replace(wanted, request=request.file))
        self._done_with(request)

    def _forget_dropped(self, request: Rebuild) -> None:
        """A start does not serve what was dropped, and so does not find it to be taken out."""
        name = str(request.name)
        if request.kind == "drop" and name in self._parts.settings.all_models():
            fingerprint = self._parts.made(name).fingerprint
            if fingerprint not in {one.fingerprint for one in self._models.all()}:
                self._parts.forget(fingerprint)

    def _done_with(self, request: Rebuild) -> None:
        """A way back or a drop is carried out."""
        dropped = request.kind == "drop"
        if dropped:
            for older in rebuilds.list_open(self._files):
                if older.kind == "model" and older.name == request.name and older.requested_at < request.requested_at:
                    self._done(older, {"dropped": request.name})
        self._done(request, {"dropped": request.name} if dropped else {"active": self._models.active.name})

    def _become(self, wanted: Models) -> None:
        for one in wanted.all():
            if self._parts.of(one.fingerprint) is None:
                self._parts.add(one.name)
        # From here on it is true: a crash on the way is mended by the next start.
        models.write(self._files, wanted)
        self._models, self._aligned = wanted, False
        self._align()

    def _align(self) -> None:
        """Bring the indexes in line with the models; again, where a store was away."""
        self.show()
        kept = {one.fingerprint for one in self._models.all()}
        for served in [one for one in self._parts.served if one.model.fingerprint not in kept]:
            self._parts.remove(served)
        self._aligned = True

    def show(self) -> None:
        """Let every index show the active model's generation."""
        one, generation = self._served(self._models.active), generation_of(self._models.active.fingerprint)
        for name, store in one.stores.items():
            try:
                _activate(store, generation)
            except NotThere as error:
                log.warning("store=%s is made again and filled: %s", name, error)
                next(publisher for publisher in one.publishers if publisher.name == name).made_again()
                _activate(store, generation)

    def _served(self, known: Known) -> ServedModel:
        found = self._parts.of(known.fingerprint)
        assert found is not None
        return found

    def _done(self, request: Rebuild, outcome: dict[str, object]) -> None:
        rebuilds.mark_done(self._files, request.file, outcome)
        log.info("request=%s %s", request.file, outcome)


def _activate(store: VectorIndex, generation: str) -> None:
    if store.active() != generation:
        store.activate(generation)
