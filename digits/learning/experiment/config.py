"""The frozen settings of the full, the quick and the release run."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from digits.paths import CUSTOM_DIR, EXPORTS_DIR, MERGED_DIR, MODELS_DIR, RUNS_DIR

SEED = 0


@dataclass(frozen=True)
class RunConfig:
    """Everything that decides a run, by default the full one; saved beside its results.

    `limit` is the number of MNIST pictures used over all splits together (None: all 70,000). `camera`,
    `handwritten`, `non_digits`, `scraps` and `textures` say how many extra training tiles extras.enrich makes;
    `camera` per training tile, the others in all. Epochs are upper bounds: validation chooses. `all_epochs` 0
    leaves out MobileNetV2's all-layer stage. `repeated` marks the seeds after the first of `--seeds`.
    """

    models_dir: Path = MODELS_DIR
    exports_dir: Path = EXPORTS_DIR
    merged_dir: Path = MERGED_DIR
    custom_dir: Path = CUSTOM_DIR
    seed: int = SEED
    repeated: bool = False
    limit: int | None = None
    quick: bool = False
    release: bool = False
    baseline_epochs: int = 7
    compact_epochs: int = 6
    frozen_epochs: int = 20
    last_epochs: int = 4
    all_epochs: int = 0
    no_camera: bool = False  # without extras, to see what they bring; see without_camera
    camera: float = 0.5
    handwritten: int = 6000
    non_digits: int = 3000
    scraps: int = 1000
    textures: int = 500

    def with_epochs(self, most: int) -> Self:
        """Return these settings with at most this many epochs in each stage."""
        names = ("baseline_epochs", "compact_epochs", "frozen_epochs", "last_epochs", "all_epochs")
        return replace(self, **{name: min(most, getattr(self, name)) for name in names})

    def under(self, folder: Path) -> Self:
        """Return these settings with all that a run writes in one folder."""
        return replace(self, **{f"{name}_dir": folder / name for name in ("models", "exports", "merged")})

    @property
    def cache_dir(self) -> Path:
        """Where a run keeps what is computed once: extras, camera views, features."""
        return self.models_dir / "cache"

    @property
    def reports_dir(self) -> Path:
        """Where a run says what it is worth on the user's own pictures: never where something is published."""
        return RUNS_DIR if self.models_dir == MODELS_DIR else self.models_dir.parent

    def model_folder(self, name: str) -> Path:
        """Return where the states and results of one model are kept."""
        comparison = "-no-camera" * self.no_camera + f"-seed{self.seed}" * self.further_seed
        return self.models_dir / f"{name}{comparison}"

    @property
    def further_seed(self) -> bool:
        """Whether a run only adds rows of another seed, for mean and range: nothing is exported then."""
        return self.repeated or (self.release and self.seed != SEED)

    def with_seeds(self, count: int) -> list[Self]:
        """Return these settings and, for the seeds that follow theirs, settings that only add rows."""
        return [self, *(replace(self, seed=self.seed + step, repeated=True) for step in range(1, count))]

    def without_camera(self) -> Self:
        """Return these settings with nothing rendered to train on; models are kept beside the others."""
        return replace(self, no_camera=True, camera=0.0, handwritten=0, non_digits=0, scraps=0, textures=0)

    @classmethod
    def quick_run(cls, **changes) -> Self:
        """Return the settings of `--quick`: few pictures, and nothing written outside `runs/quick/`."""
        small = cls(quick=True, limit=7000, baseline_epochs=4, compact_epochs=4, last_epochs=2,
                    camera=0.25, handwritten=300, non_digits=300, scraps=100, textures=60)  # fmt: skip
        return replace(small.under(RUNS_DIR / "quick"), **changes)

    @classmethod
    def release_run(cls, **changes) -> Self:
        """Return the settings of `--release`: the full run that also renews the kept leaderboard."""
        longer = cls(release=True, baseline_epochs=10, compact_epochs=24, frozen_epochs=12, last_epochs=6, all_epochs=2,
                     camera=0.8, handwritten=48000, non_digits=28000, scraps=6000, textures=6000)  # fmt: skip
        return replace(longer, **changes)
