"""Every error Headrace raises on purpose.

    HeadraceError
    |-- Fatal                     trying again cannot help; a person must act
    |   |-- ConfigError           the settings file is wrong
    |   |-- MissingDependency     an optional package is not installed
    |   |-- FormatTooNew          a table was written by a newer Headrace
    |   |-- FromWorker            what a Python worker of Spark could not go on with
    |   |-- NotThere              nobody has made a store's table, index or file, or somebody removed it
    |   |-- DatasetRefused        a dataset for training cannot be written as asked for
    |   |-- Frozen                the source's positions fell behind what is stored ("no silent freeze")
    |   `-- ExpectationStopped    a data-quality rule with `on_fail: stop` was broken
    `-- Retryable                 the same call may work later
        `-- Unreachable           a server, registry or folder did not answer

A message says what was expected, what was found and what to do.
"""


class HeadraceError(Exception):
    """Base of all errors raised on purpose.

    Args:
        expected: what should have been there.
        found: what was there instead; never a secret.
        todo: the next step for the reader, a command where there is one.
        where: the key in the settings, the table or the file concerned.
    """

    def __init__(self, *, expected: str, found: str, todo: str, where: str = "") -> None:
        self.expected, self.found, self.todo, self.where = expected, found, todo, where
        place = f"{where}: " if where else ""
        super().__init__(f"{place}expected {expected}; found {found}. {todo}")


class Fatal(HeadraceError):
    """Trying again cannot help."""


class ConfigError(Fatal):
    """The settings file is wrong."""


class MissingDependency(Fatal):
    """An optional package is not installed."""


class FormatTooNew(Fatal):
    """A table was written by a newer Headrace."""


class FromWorker(Fatal):
    """What one of Spark's Python workers could not go on with.

    Args:
        said: its own message, which says what was expected, what was found and what to do.
    """

    def __init__(self, said: str) -> None:
        super().__init__(expected="", found="", todo="")
        self.args = (said,)


class NotThere(Fatal):
    """Nobody has made a store's table, index or file, or somebody removed it."""


class DatasetRefused(Fatal):
    """A dataset for training cannot be written as asked for."""


class Frozen(Fatal):
    """A source's positions fell behind what is stored, so nothing would be applied any more."""


class ExpectationStopped(Fatal):
    """A data-quality rule with `on_fail: stop` was broken."""


class Retryable(HeadraceError):
    """The same call may work later."""


class Unreachable(Retryable):
    """A server, registry or folder did not answer."""


EXIT_CODES = (
    "0 done   1 failed   2 wrong command line or settings   130, 143 ended at once by a second Ctrl-C or SIGTERM"
)
"""What every program of Headrace ends with; 1 is also a server that did not answer, and an error nobody foresaw."""


def exit_code(error: Exception) -> int:
    """The exit code of a program that ended with an error."""
    return 2 if isinstance(error, ConfigError) else 1
