"""How each stage of each network is trained: epochs, rates, batches."""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Stage:
    """How one stage is trained; epochs is an upper bound where there is validation data."""

    name: str
    epochs: int
    learning_rate: float
    batch: int = 64
    patience: int | None = None  # epochs without a better validation accuracy before it stops
    schedule_epochs: int | None = None  # the cosine ends after this many epochs; None: `epochs`
    warmup_epochs: float = 0.0
    label_smoothing: float = 0.0
    clip: float | None = None  # largest global norm of a gradient
    weight_decay: float = 0.0


PLAIN = Stage("train", epochs=10, learning_rate=2e-3, batch=128, patience=3)
# Soft targets suit data that is never the same twice.
WITH_AUGMENTATION = Stage("train", epochs=10, learning_rate=2e-3, batch=128, label_smoothing=0.05,
                          weight_decay=1e-4)  # fmt: skip
COMPACT = replace(WITH_AUGMENTATION, epochs=14, weight_decay=0.1)
# Frozen trunk: only the head learns, from 1,280 numbers an image. Last 20: low rate, since pretrained layers move.
FROZEN = Stage("frozen", epochs=12, learning_rate=1e-3, batch=256, patience=4)
LAST = Stage("last_20", epochs=6, learning_rate=3e-4, batch=128, patience=3, clip=1.0, label_smoothing=0.02)
# All layers: warm-up, since Adam's first steps are its wildest, then a cosine.
ALL = Stage("all_layers", epochs=3, learning_rate=5e-4, batch=64, warmup_epochs=0.3, clip=1.0, label_smoothing=0.05,
            weight_decay=1e-4)  # fmt: skip
