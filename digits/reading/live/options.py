"""What realtime_multiformat.py was asked for."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Options:
    """What realtime_multiformat.py was asked for; its --help says what each does."""

    model: Path | None = None
    source: str = "0"
    headless: bool = False
    jsonl: str | None = None
    record: Path | None = None
    max_frames: int | None = None
    threads: int | None = None
    min_confidence: float | None = None
    mirror: bool = False
    camera_backend: str = "auto"
    lang: str | None = None
    custom: Path | None = None
