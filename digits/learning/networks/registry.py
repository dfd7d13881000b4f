"""All networks by name."""

from __future__ import annotations

from digits.learning.networks import baselines, compact, mobilenet

BUILDERS = {**baselines.BASELINES, compact.NAME: compact.build_cnn_compact}  # of the networks trained in one stage
MODELS = (*BUILDERS, mobilenet.NAME)
WITHOUT_EXTRAS = {name for name in BUILDERS if name not in (baselines.AUGMENTED, compact.NAME)}
