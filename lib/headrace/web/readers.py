"""Who is asking: a token, the cookie that a token was changed for, or whoever sits at this machine."""

import hmac
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from threading import Lock

from headrace.config_web import Sight, Web

SESSION_SECONDS = 12 * 3600
LOCAL = "local"
_MOST_KNOWN = 10_000


@dataclass(frozen=True, slots=True)
class Who:
    """Somebody, and what they may see. `session`: what their forms are bound to."""

    name: str
    sight: Sight
    session: str = ""


class Gate:
    """Knows readers by what they show. A restart ends all sessions.

    Args:
        now: the clock, in seconds.
    """

    def __init__(self, settings: Web, now: Callable[[], float] = time.time) -> None:
        self._settings, self._now, self._key = settings, now, secrets.token_bytes(32)
        self._digests = {name: _digest(one.token.get_secret_value()) for name, one in settings.readers.items()}

    @property
    def local(self) -> Who | None:
        """Whoever asks, where the settings name no readers."""
        return None if self._digests else Who(LOCAL, self._settings.local, LOCAL)

    def by_token(self, token: str) -> Who | None:
        """Whose token it is. Takes as long for any."""
        given = _digest(token)
        found = [name for name, digest in self._digests.items() if hmac.compare_digest(digest, given)]
        return self._who(found[0]) if found else None

    def session(self, who: Who) -> str:
        """What a browser keeps instead of the token."""
        named = f"{who.name}.{int(self._now()) + SESSION_SECONDS}.{secrets.token_hex(8)}"
        return f"{named}.{self._signed('session', named)}"

    def by_session(self, text: str) -> Who | None:
        """Whose session it is; None for one that is over or made up."""
        named, _, signature = text.rpartition(".")
        if not _same(self._signed("session", named), signature):
            return None
        name, until, _ = named.split(".")
        return self._who(name, text) if name in self._digests and self._now() < int(until) else None

    def form_token(self, who: Who) -> str:
        """What a form of this session carries; another site cannot know it."""
        return self._signed("form", who.session)

    def genuine(self, who: Who, token: str) -> bool:
        """Whether a form was made for this session."""
        return bool(who.session) and _same(self.form_token(who), token)

    def _who(self, name: str, session: str = "") -> Who:
        return Who(name, self._settings.readers[name], session)

    def _signed(self, what: str, text: str) -> str:
        return hmac.new(self._key, f"{what}\0{text}".encode("utf-8", "replace"), sha256).hexdigest()


class Pace:
    """Counts requests in minutes.

    Args:
        most: of one name in a minute.
    """

    def __init__(self, most: int, now: Callable[[], float] = time.monotonic) -> None:
        self._most, self._now, self._lock = most, now, Lock()
        self._minute, self._counts = 0, dict[str, int]()

    def wait(self, name: str) -> int:
        """0 where the request is within the limit, else the seconds until it is."""
        now = self._now()
        with self._lock:
            if int(now // 60) != self._minute or len(self._counts) > _MOST_KNOWN:
                self._minute = int(now // 60)
                self._counts.clear()
            self._counts[name] = self._counts.get(name, 0) + 1
            return 0 if self._counts[name] <= self._most else 60 - int(now % 60)


def _same(right: str, given: str) -> bool:
    return hmac.compare_digest(right.encode(), given.encode("utf-8", "replace"))


def _digest(token: str) -> bytes:
    return sha256(token.encode("utf-8", "replace")).digest()
