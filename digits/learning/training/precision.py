"""Half precision and several GPUs, where they are faster and the results the same."""

from contextlib import contextmanager, nullcontext
from pathlib import Path

import keras
import tensorflow as tf

_BFLOAT16_FROM = (8, 0)  # compute capability of the first NVIDIA GPUs that multiply bfloat16: Ampere, 2020


@contextmanager
def accelerated():
    """Within it networks are built and trained in half precision where the device has it, and on all GPUs."""
    gpus, policy = tf.config.list_physical_devices("GPU"), keras.config.dtype_policy()
    keras.config.set_dtype_policy(_half_precision(gpus) or policy)
    try:
        with tf.distribute.MirroredStrategy().scope() if len(gpus) > 1 else nullcontext():
            yield
    finally:
        keras.config.set_dtype_policy(policy)


@contextmanager
def full_precision(model: keras.Model):
    """Within it the model computes in float32, as its exports do, whatever it was trained in."""
    policies = [layer.dtype_policy for layer in model.layers]
    if all(policy.compute_dtype == "float32" for policy in policies):
        yield
        return
    to_float32(model)
    model.predict_function = None  # what was traced before keeps its precision
    try:
        yield
    finally:
        for layer, policy in zip(model.layers, policies, strict=True):
            layer.dtype_policy = policy
        model.predict_function = None


def to_float32(model: keras.Model) -> None:
    """Let all layers compute in float32 from the next compile or prediction function on."""
    for layer in model.layers:
        layer.dtype_policy = "float32"


def _half_precision(gpus: list) -> str | None:
    """Return the name of the fastest policy whose results are those of float32 within noise; None: none is."""
    if not gpus:
        return "mixed_bfloat16" if _cpu_has_bfloat16() else None
    if all(_capability(gpu) >= _BFLOAT16_FROM for gpu in gpus):
        return "mixed_bfloat16"
    # Gradients in float16 have to be scaled, and Keras looks for those that overflowed on one GPU alone.
    return "mixed_float16" if len(gpus) == 1 else None


def _capability(gpu) -> tuple[int, int]:
    return tf.config.experimental.get_device_details(gpu).get("compute_capability", (0, 0))


def _cpu_has_bfloat16() -> bool:
    """Return whether the processor multiplies bfloat16 itself; those that do not take longer than with float32."""
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace")
    except OSError:
        return False  # neither Windows nor macOS say
    return "avx512_bf16" in flags or "amx_bf16" in flags


def jit_compile() -> bool | str:
    """Return Keras' choice on one GPU, and no XLA on several, where nobody has measured it, or on processors.

    XLA replaces TensorFlow's oneDNN kernels by its own, which are slower there: without XLA the small
    networks learn 2.2 to 2.9 times as fast, MobileNetV2 up to 15.8 times (2 cores, at commit 619b0306e8).
    """
    return "auto" if len(tf.config.list_physical_devices("GPU")) == 1 else False
