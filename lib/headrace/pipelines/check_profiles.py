"""What `headrace check` tries of profiles: packages and stores."""

from collections.abc import Callable, Iterator

from headrace.config import Config
from headrace.config_keyed_stores import ProfileStore, SqliteRows
from headrace.config_profiles import Profiles
from headrace.errors import NotThere
from headrace.identifiers.normalise import normaliser
from headrace.pipelines.check_knowledge import may_be_made
from headrace.pipelines.lake_ids import known_lake_id
from headrace.pipelines.profile_progress import LAKE_ID
from headrace.stores import keyed
from headrace.stores.files import LakeFiles

Trial = tuple[str, Callable[[], str]]


def trials(config: Config, profiles: Profiles) -> Iterator[Trial]:
    """The kinds of identifiers, and every store."""
    yield "profiles: identifiers", lambda: _identifiers(profiles)
    for name, store in profiles.stores.items():
        yield f"profiles: store {name}", lambda store=store: _store(config, store)  # type: ignore[misc]


def _identifiers(profiles: Profiles) -> str:
    kinds = normaliser(profiles).kinds
    linking = [kind for kind, one in kinds.items() if one.links]
    return f"{len(kinds)} kinds, of which these link: {', '.join(linking)}"


def _store(config: Config, settings: ProfileStore) -> str:
    store = keyed.rows(settings)
    try:
        store.attach(known_lake_id(LakeFiles(config.lake), LAKE_ID))
    except NotThere:
        if isinstance(settings, SqliteRows):
            may_be_made(settings.path)
        return f"{settings.store}: not made yet; `headrace run build_profiles` makes it"
    finally:
        store.close()
    return f"{settings.store}: there"
