"""A model that is replaced while the window is open: noticed, loaded and checked in the background."""

import threading
import time
from pathlib import Path

from digits.files import in_words
from digits.reading.models.card import CARD
from digits.reading.models.default import default_export
from digits.reading.models.errors import ModelError
from digits.reading.models.loading import load_model
from digits.reading.models.model import Model
from digits.reading.models.verify import verify

_MODEL_CHECK_S = 1.0


class ModelWatch:
    """Notices when the model that was asked for, or the default, is replaced; loads and checks it in the background.

    What it looks at about once a second is the card of an export (else the file itself) and, where no model was named,
    which export is the default. The frames go on with the old model until the new one is ready.
    """

    def __init__(self, model: Model, asked_for: Path | None, threads: int | None):
        self._model, self._asked_for, self._threads = model, asked_for, threads
        self._stamp = self._seen()
        self._next_s = 0.0
        self._loading: threading.Thread | None = None
        self._loaded: Model | ModelError | None = None

    def renewed(self) -> Model | None:
        """Return the new model once it is loaded; raise ModelError, once, if it is no good."""
        if self._loading:
            if self._loading.is_alive():
                return None
            self._loading = None
            if isinstance(self._loaded, ModelError):
                raise self._loaded
            self._model = self._loaded
            return self._loaded
        now = time.monotonic()
        if now < self._next_s:
            return None
        self._next_s = now + _MODEL_CHECK_S
        stamp = self._seen()
        if stamp not in (None, self._stamp):  # None: just being replaced
            self._stamp = stamp
            self._loading = threading.Thread(target=self._load, daemon=True)
            self._loading.start()
        return None

    def _load(self) -> None:
        try:
            self._loaded = checked(load_model(self._asked_for, threads=self._threads))
        except ModelError as error:
            self._loaded = error
        except OSError as error:
            self._loaded = ModelError(f"the new one cannot be used: {in_words(error)}")

    def _seen(self) -> tuple | None:
        """Return what changes when the model does; None while it cannot be seen."""
        try:
            place = self._asked_for or default_export()
            if place.is_dir():
                place = place / CARD if (place / CARD).is_file() else Path(self._model.path)
            status = place.stat()
        except (OSError, TypeError, AttributeError):
            return None  # TypeError, AttributeError: the model lies inside a bundle, which nobody replaces
        except ModelError as error:
            return (str(error),)  # a default that names nothing: worth a sentence, once
        return str(place), status.st_mtime_ns, status.st_size, status.st_ino


def checked(model: Model) -> Model:
    """Return the model if it answers its export's golden tiles as it should; raise ModelError if not."""
    if model.card and isinstance(model.path, Path):
        for check in verify(model.path.parent, {model.format}):
            if check.file == model.path.name and check.ok is False:
                raise ModelError(f"{model.path} {check.note}.")
    return model
