"""What a request is refused with."""

from collections.abc import Mapping


class Refused(Exception):
    """A request that gets no answer.

    Attributes:
        status: of HTTP.
        said: to the client; nothing of the machine is in it.
    """

    def __init__(self, status: int, said: str, headers: Mapping[str, str] | None = None) -> None:
        self.status, self.said, self.headers = status, said, dict(headers or {})
        super().__init__(said)


def no_token() -> Refused:
    """Nobody knows who asks."""
    return Refused(401, "Sign in with your token.", {"WWW-Authenticate": 'Bearer realm="headrace"'})


def not_yours(what: str) -> Refused:
    """The settings do not let this reader."""
    return Refused(403, f"The settings do not let you {what}.")


def not_there(what: str) -> Refused:
    """It is not there, or the reader may not know that it is."""
    return Refused(404, f"There is no such {what}.")


def too_many(seconds: int) -> Refused:
    """Later it is taken."""
    return Refused(429, "Too many requests. Try again in a moment.", {"Retry-After": str(seconds)})
