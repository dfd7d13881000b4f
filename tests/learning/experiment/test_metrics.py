"""Numbers about probabilities, checked against cases worked out by hand."""

import json

import numpy as np
import pytest

from digits.learning.experiment import metrics
from digits.learning.shared.calibration import ACCEPTED, acceptance_threshold, fit_temperature
from digits.reading.models.temperature import scaled

RNG = np.random.default_rng(11)


def rows(*winners, confidence=0.91):
    table = np.full((len(winners), 10), (1 - confidence) / 9, np.float32)
    table[np.arange(len(winners)), winners] = confidence
    return table


def sampled(temperature, count=6000):
    """Probabilities that are right as often as they say, made over- or under-confident by a temperature."""
    logits = RNG.normal(0, 2, (count, 10))
    honest = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    labels = np.array([RNG.choice(10, p=p) for p in honest])
    return scaled(honest, temperature), labels


def test_accuracy_confusion_precision_and_recall():
    probabilities, labels = rows(1, 1, 7, 7), np.array([1, 7, 7, 7])
    assert metrics.accuracy(probabilities, labels) == 0.75
    counts = metrics.confusion(probabilities, labels)
    assert counts[7, 1] == 1 and counts[7, 7] == 2 and counts.sum() == 4
    precision, recall = metrics.precision_and_recall(probabilities, labels)
    assert precision[1] == 0.5 and recall[7] == pytest.approx(2 / 3) and np.isnan(recall[0])


def test_summary_is_plain_numbers():
    found = metrics.summary(rows(1, 2), np.array([1, 3]))
    assert json.loads(json.dumps(found)) == found
    assert found["errors"] == 1 and found["precision"][0] is None


def test_worst_mistakes_are_the_surest_ones():
    probabilities = np.concatenate([rows(3, confidence=0.6), rows(3, confidence=0.99), rows(3)])
    assert list(metrics.worst_mistakes(probabilities, np.array([5, 5, 3]), 9)) == [1, 0]
    unsure = np.full((1, 10), 0.1)
    unsure[0, :2] = 0.2, 0.0  # gives its label nothing, but is not sure of another digit either
    both = np.concatenate([unsure, rows(3, confidence=0.6)])
    assert list(metrics.worst_mistakes(both, np.array([1, 5]), 9)) == [1, 0]


def test_calibration_error_of_an_honest_and_of_a_boasting_network():
    probabilities, labels = sampled(1.0)
    assert metrics.calibration_error(probabilities, labels) < 0.04
    assert metrics.calibration_error(scaled(probabilities, 0.4), labels) > 0.1


@pytest.mark.parametrize("made", [0.5, 1.0, 2.0])
def test_temperature_undoes_what_was_done(made):
    probabilities, labels = sampled(made)
    assert fit_temperature(probabilities, labels) == pytest.approx(1 / made, rel=0.1)


def test_scaling_keeps_the_winner_and_sums_to_one():
    probabilities, _ = sampled(1.0, 50)
    softer = scaled(probabilities, 3.0)
    np.testing.assert_array_equal(softer.argmax(-1), probabilities.argmax(-1))
    np.testing.assert_allclose(softer.sum(-1), 1, atol=1e-6)


@pytest.mark.parametrize("share", [ACCEPTED, 0.9])
def test_threshold_accepts_the_share_of_digits_that_is_asked_for(share):
    confidences = RNG.random(5000)
    threshold = acceptance_threshold(confidences, accepted=share)
    assert (confidences >= threshold).mean() == pytest.approx(share, abs=1e-3)


def test_threshold_refuses_no_digit_for_nothing():
    digits, others = RNG.uniform(0.9, 1, 5000), RNG.uniform(0.1, 0.4, 500)
    threshold = acceptance_threshold(digits, others)
    assert (digits >= threshold).all() and (others >= threshold).mean() <= 0.011


def test_rejection_curve_ends_at_the_surest():
    probabilities = np.concatenate([rows(1, confidence=0.5), rows(2, confidence=0.9)])
    refused, error = metrics.rejection_curve(probabilities, np.array([0, 2]))
    assert list(refused) == [0.0, 0.5] and list(error) == [0.5, 0.0]
