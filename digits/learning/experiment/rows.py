"""One row of the leaderboard: what one stage of one training came to, and how it was made."""

from __future__ import annotations

from dataclasses import dataclass, fields

from digits.learning.networks.registry import Origin


@dataclass(frozen=True)
class Row:
    """What one stage of one training came to; the fields are the leaderboard's columns, in their order.

    Attributes:
        no_camera: whether nothing rendered was trained on, to compare (`--no-camera`).
        with_val: whether val was trained on too, so that no accuracy on it is told.
        weights: what it started from.
        augmentation: what was made beside the tiles, in words.
        images: tiles of the train split.
        epochs: chosen by validation.
        val_accuracy, val_camera_accuracy, test_accuracy, own_test_accuracy: 0 to 1; None where there is none.
        latency_ms: of one tile through Keras.
        judged_on: what names the validation pictures; accuracies on others cannot be compared.
    """

    model: str
    stage: str
    seed: int
    no_camera: bool = False
    with_val: bool = False
    weights: Origin = Origin.RANDOM
    augmentation: str = "none"
    images: int = 0
    epochs: int = 0
    params: int | None = None
    train_seconds: float = 0.0
    val_accuracy: float | None = None
    val_camera_accuracy: float | None = None
    test_accuracy: float | None = None
    own_test_accuracy: float | None = None
    size_bytes: int | None = None
    latency_ms: float | None = None
    command: str = ""
    commit: str | None = None
    judged_on: str | None = None

    @classmethod
    def of(cls, values: dict) -> Row:
        """Return a row from a table's or a JSON file's dict; what other versions wrote besides is left out."""
        names = {field.name for field in fields(cls)}
        found = {name: value for name, value in values.items() if name in names}
        return cls(**found | {"weights": Origin(found.get("weights", Origin.RANDOM))})

    @property
    def choice(self) -> float | None:
        """What models are chosen by: mean accuracy on clean and on camera-changed val; None if val was trained on."""
        return None if self.val_accuracy is None else (self.val_accuracy + self.val_camera_accuracy) / 2

    @property
    def title(self) -> str:
        """Model and stage in words."""
        return f"{self.model} {self.stage}{', with val' * self.with_val}{', no camera' * self.no_camera}"

    @property
    def training(self) -> tuple:
        """What one training's rows share: a new training replaces them."""
        return self.model, self.weights, self.seed, self.no_camera
