"""TensorFlow without its notes: what C++ writes past Python to the process' own outputs, which no setting silences."""

from digits.outputs import diverted


def load_tensorflow() -> None:
    """Import TensorFlow and let it look for devices."""
    with diverted(1, 2):
        import tensorflow as tf

        tf.get_logger().setLevel("ERROR")
        for gpu in tf.config.list_physical_devices("GPU"):
            tf.config.experimental.set_memory_growth(gpu, True)
