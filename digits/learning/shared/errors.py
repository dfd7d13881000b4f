"""What ends a run, in one sentence for the user."""


class RunError(Exception):
    """The run cannot start or go on; one sentence says why and what to do."""
