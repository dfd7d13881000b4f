"""The finder's layers: a frame in, and for every place what is written there."""

import keras

from digits.learning.finder.maps import FINE, HEADS

CHANNELS = {2: 16, 4: 40, 8: 64, 16: 96, 32: 128}  # by stride


def build_finder(shape: tuple[int | None, int | None] = (None, None)) -> keras.Model:
    """Return the network.

    Args:
        shape: height and width of its pictures, multiples of 32; None for any.
    Input: float32 (N, H, W, 1), grey in [0, 1]. Output: float32 (N, H / 4, W / 4, 5 + 16), see HEADS.
    """
    inputs = keras.Input((*shape, 1), name="frame")
    x = keras.layers.Rescaling(2.0, -1.0)(inputs)
    x = _conv(x, CHANNELS[2], 3, 2, "stem")
    fine = _separable(x, CHANNELS[4], 2, "down4", kernel=4)
    x4 = _blocks(fine, CHANNELS[4], 1, "s4")
    x8 = _blocks(_separable(x4, CHANNELS[8], 2, "down8"), CHANNELS[8], 2, "s8")
    x16 = _blocks(_separable(x8, CHANNELS[16], 2, "down16"), CHANNELS[16], 3, "s16")
    x32 = _blocks(_separable(x16, CHANNELS[32], 2, "down32"), CHANNELS[32], 2, "s32")
    x = _up(x32, x16, CHANNELS[16], "up16")
    x = _up(x, x8, CHANNELS[8], "up8")
    x = _up(x, x4, CHANNELS[4], "up4")
    x = _blocks(x, CHANNELS[4], 2, "top")
    maps = keras.layers.Conv2D(len(HEADS) + FINE * FINE, 1, name="maps", bias_initializer=_rare_centres)(x)
    return keras.Model(inputs, maps, name="finder")


def _rare_centres(shape, dtype=None):
    """Start from "hardly any place is a centre": RetinaNet's way to keep the first steps calm (Lin et al. 2017)."""
    return keras.ops.convert_to_tensor([-4.6, -4.6] + [0.0] * 3 + [-2.0] * (shape[0] - 5), dtype)


def _conv(x, channels: int, kernel: int, stride: int, name: str):
    x = keras.layers.Conv2D(channels, kernel, stride, "same", use_bias=False, name=f"{name}_conv")(x)
    return keras.layers.ReLU(name=f"{name}_relu")(keras.layers.BatchNormalization(name=f"{name}_norm")(x))


def _separable(x, channels: int, stride: int, name: str, kernel: int = 3):
    x = keras.layers.DepthwiseConv2D(kernel, stride, "same", use_bias=False, name=f"{name}_depth")(x)
    x = keras.layers.BatchNormalization(name=f"{name}_depth_norm")(x)
    return _conv(x, channels, 1, 1, name)


def _blocks(x, channels: int, count: int, name: str):
    for number in range(1, count + 1):
        x = keras.layers.Add(name=f"{name}_{number}_add")([x, _separable(x, channels, 1, f"{name}_{number}")])
    return x


def _up(coarse, fine, channels: int, name: str):
    """Bring the coarse map to the fine one's size and channels, and add them; bilinear: nearest is slow in browsers."""
    coarse = _conv(coarse, channels, 1, 1, name)
    coarse = keras.layers.UpSampling2D(interpolation="bilinear", name=f"{name}_bilinear")(coarse)
    return keras.layers.Add(name=f"{name}_add")([coarse, fine])
