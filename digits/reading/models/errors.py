"""What can be wrong with a model, in one sentence for the user."""

EXPORT_AGAIN = "copy the export folder again, or make it again with train_all.py"


class ModelError(Exception):
    """A model that cannot be used; the message is one sentence for the user."""


def brief(error: BaseException) -> str:
    """Return an error's first line, short enough for a sentence."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[0][:160].rstrip(". ")


class MissingRuntimeError(ModelError):
    """The library that runs this format is not installed here."""
