"""Where the lake keeps how far the stores of served rows have come. No Spark."""

FOLDER = "checkpoints/apply_changes/served-rows"
"""No source can be called so."""
LAKE_ID = f"{FOLDER}/lake-id"
"""What tells this lake's rows from those of every other."""
UNTOLD = f"{FOLDER}/untold"
"""There while a batch may take rows away without naming them."""

FORGOT_AT = f"{FOLDER}/forgot-at"
"""When stores were last told to forget old deletes."""


def progress_place(store: str) -> str:
    """The file that keeps how far a store has come."""
    return f"{FOLDER}/{store}.json"


def made_by_place(store: str) -> str:
    """The file that keeps what the store's rows were made by."""
    return f"{FOLDER}/{store}.settings"
