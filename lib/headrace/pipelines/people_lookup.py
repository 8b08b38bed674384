"""Opens the store of profiles that the settings name and finds one person in it. No Spark."""

from contextlib import closing

from headrace.config import Config
from headrace.config_keyed_stores import KeyedStore, NeptuneGraph
from headrace.config_profiles import Profiles as Settings
from headrace.context.profile import Profile, Profiles
from headrace.errors import ConfigError, Fatal, NotThere
from headrace.identifiers.normalise import normaliser
from headrace.stores import keyed


def lookup(config: Config, store: str | None = None) -> Profiles:
    """What looks people up, to be closed; nothing is asked before.

    Args:
        store: of the settings; the first that holds profiles where not given.

    Raises:
        ConfigError: the settings have no profiles, or no such store.
    """
    settings = config.profiles
    if settings is None:
        todo = "Add them to the settings; docs/profiles.md shows how."
        raise ConfigError(where="profiles", expected="records about people", found="nothing", todo=todo)
    return Profiles(keyed.reader(_chosen(settings, store)), normaliser(settings), settings.found_by())


def person(config: Config, who: str, store: str | None = None) -> Profile:
    """The one person that an id, now or earlier, or an identifier leads to.

    Raises:
        NotThere: nobody is known, or nobody has made the store.
        Fatal: several people share the identifier: a prompt about the wrong one is worse than none.
    """
    with closing(lookup(config, store)) as people:
        found = people.find(who)
    if len(found) == 1:
        return found[0]
    if found:
        ids = ", ".join(one.person for one in found)
        todo = f"Ask for one of {ids}; `headrace explain` tells them apart."
        raise Fatal(expected="an identifier of one person", found=f"{len(found)} who share it", todo=todo)
    kinds = ", ".join(config.profiles.found_by()) if config.profiles else ""
    expected = "a person's id, or an identifier that somebody has"
    todo = f"Identifiers are looked up by {kinds}; `headrace run build_profiles` publishes who is known."
    raise NotThere(expected=expected, found="nobody", todo=todo)


def _chosen(settings: Settings, name: str | None) -> KeyedStore:
    stores = {each: one for each, one in settings.stores.items() if not isinstance(one, NeptuneGraph)}
    found = stores.get(name) if name else next(iter(stores.values()), None)
    if found is None:
        known = ", ".join(stores)
        expected = f"a store of profiles: {known or 'sqlite, documentdb or dynamodb'}"
        todo = "Name one of these." if known else "A graph holds who is who, no profiles; add one of these."
        raise ConfigError(where="profiles.stores", expected=expected, found=name or "none", todo=todo)
    return found
