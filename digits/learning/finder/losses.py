"""What the finder is punished for: wrong centres, wrong ink, and wrong ways from ink to centres."""

import keras
from keras import ops

from digits.learning.finder.maps import HEADS
from digits.learning.finder.targets import PLANES

INK, SIZE, OFFSET, OTHER = 2.0, 0.2, 4.0, 0.5  # weights beside the centres' 1
_INK_SHARE = 4.0  # a pixel of ink counts as much as this many of paper
# A picture with many digits counts for more than one with few, but not in proportion: large digits come alone.
_CROWD = 0.7
_PLACES = (1, 2)


@keras.saving.register_keras_serializable("digits")
class FinderLoss(keras.losses.Loss):
    """The weighted sum of all losses over a batch.

    Sources: penalty-reduced focal loss for centres (Zhou, Wang, Kraehenbuehl 2019), after Lin et al. 2017; dice beside
    cross-entropy for ink (Milletari et al. 2016); ways to centres (Cheng et al. 2020, Panoptic-DeepLab).
    """

    def call(self, y_true, y_pred):
        """Return the loss of each picture, (N,), from targets (N, h, w, 8 + 16) and maps (N, h, w, 5 + 16)."""
        y_true, y_pred = ops.cast(y_true, "float32"), ops.cast(y_pred, "float32")
        truth = {name: y_true[..., index] for index, name in enumerate(PLANES)}
        maps = {name: y_pred[..., index] for index, name in enumerate(HEADS)}
        ink, inked = y_pred[..., len(HEADS) :], y_true[..., len(PLANES) :]
        loss = focal(truth["centre"], maps["centre"], truth["centre_weight"])
        loss += OTHER * focal(truth["other"], maps["other"], ops.ones_like(truth["other"]))
        loss += SIZE * _mean(ops.abs(truth["size"] - maps["size"]), truth["size_weight"], 1.0)
        ways = (ops.abs(truth["dx"] - maps["dx"]) + ops.abs(truth["dy"] - maps["dy"])) * truth["offset_weight"]
        loss += OFFSET * _mean(ways, ops.cast(truth["offset_weight"] > 0, "float32"), 20.0)
        return loss + INK * (_cross_entropy(inked, ink) + _dice(inked, ink))


def focal(truth, logits, weight):
    """Return the penalty-reduced focal loss of the hills of each picture, (N,)."""
    p = ops.clip(ops.sigmoid(logits), 1e-5, 1 - 1e-5)
    top = ops.cast(truth > 0.995, "float32") * weight
    hit = ops.square(1 - p) * ops.log(p) * top
    false = ops.power(1 - truth, 4) * ops.square(p) * ops.log(1 - p) * (1 - ops.cast(truth > 0.995, "float32")) * weight
    return -ops.sum(hit + false, _PLACES) / ops.power(ops.sum(top, _PLACES) + 1.0, _CROWD)


def _mean(values, weight, spare):
    return ops.sum(values * weight, _PLACES) / (ops.sum(weight, _PLACES) + spare)


def _cross_entropy(truth, logits):
    each = ops.softplus(logits) - truth * logits
    weight = 1 + (_INK_SHARE - 1) * truth
    return ops.sum(each * weight) / ops.sum(weight) * 3.0


def _dice(truth, logits):
    p, everywhere = ops.sigmoid(logits), (1, 2, 3)
    both = ops.sum(p * p, everywhere) + ops.sum(truth * truth, everywhere)
    return 1 - (2 * ops.sum(p * truth, everywhere) + 20) / (both + 20)
