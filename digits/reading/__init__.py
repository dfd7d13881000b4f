"""Read handwritten digits from photographs and cameras: NumPy, OpenCV and one small runtime, TensorFlow never needed.

A photograph, with the model that comes with the project:

    >>> from digits import Reader, load_model
    >>> from digits.reading.images import load_image
    >>> reader = Reader(load_model())  # or load_model("exports/cnn_compact/model.onnx"), any file, any format
    >>> reading = reader.read(load_image("data/samples/digit_7.jpg"))
    >>> [digit.digit for digit in reading.digits]
    [7]

A reading also has, of each digit, its box, its confidence, all ten probabilities and the tile that the network saw;
what was refused, and why; and, where nothing is read, a hint (too dark, blurred, ...). A camera or a clip, with
readings that neither flicker nor lag:

    >>> from digits.reading.live.frames import Frame
    >>> from digits.reading.live.sources import open_source
    >>> from digits.reading.live.tracking import Tracker
    >>> tracker, source = Tracker(), open_source("demo", print)  # or "0", a camera; a file; a folder; an address
    >>> frame = next(item for item in source if isinstance(item, Frame))  # a camera may also say that it is waiting
    >>> shown = tracker.update(reader.read(frame.image), frame.image)
    >>> source.close()

What happens to a frame, uint8 (H, W, 3) BGR, in this order; each step can be called by itself:

    images, live      a file, a camera, a stream -> frame (image_kinds, image_header: what it holds; decoders)
    finding           frame -> the ink of what is written, a part a digit, with its box
    tile              ink of a part -> tile, uint8 (96, 96): THE normalisation, MNIST's own rule
    models            tiles (N, 96, 96) -> probabilities (N, 10), the same from .tflite, .onnx, .keras, .h5 and .json
    reader            all of the above for one frame: which parts belong together, what is accepted, what refused
    hints             what to change where nothing is read
    readings          what comes out: digits, what was refused and why, a hint
    orientation       a picture that is turned or mirrored: noticed by how much better it reads another way
    rows              boxes of digits -> lines and numbers, as people read them
    live              readings of frame after frame -> one that votes; window, files, keys, pictures that are kept

`verify` checks an export folder: `python -m digits.reading.verify exports/<name>`.
"""
