"""Read handwritten digits from photographs and cameras: NumPy, OpenCV and one small runtime, TensorFlow never needed.

A photograph, with the model that comes with the project:

    >>> from digits.reading.formats import load_model
    >>> from digits.reading.images import load_image
    >>> from digits.reading.reader import Reader
    >>> reader = Reader(load_model())  # or load_model("exports/cnn_compact/model.onnx"), any file, any format
    >>> reading = reader.read(load_image("data/samples/digit_7.jpg"))
    >>> [digit.digit for digit in reading.digits]
    [7]

A reading also has, of each digit, its box, its confidence, all ten probabilities and the tile that the network saw;
what was refused, and why; and, where nothing is read, a hint (too dark, blurred, ...). A camera or a clip, with
readings that neither flicker nor lag:

    >>> from digits.reading.sources import Frame, open_source
    >>> from digits.reading.tracking import Tracker
    >>> tracker, source = Tracker(), open_source("demo", print)  # or "0", a camera; a file; a folder; an address
    >>> frame = next(item for item in source if isinstance(item, Frame))  # a camera may also say that it is waiting
    >>> shown = tracker.update(reader.read(frame.image), frame.image)
    >>> source.close()

What happens to a frame, uint8 (H, W, 3) BGR, in this order; each step is one module and can be called by itself:

    images, sources   a file, a camera, a stream -> frame
    sheet             frame -> the sheet held up in it, seen as from straight before it, where its outline is certain
    ink               frame -> contrast: the paper's brightness divided out, 0 for paper, 255 for ink
    lines             printed lines of ruled and squared paper taken out of it
    fading            strokes followed to where they fade, on bare paper
    locate            contrast -> boxes, in reading order
    tile              ink of a box -> tile, uint8 (96, 96): THE normalisation, MNIST's own rule
    formats           tiles (N, 96, 96) -> probabilities (N, 10), the same from .tflite, .onnx, .keras, .h5 and .json
    reader            all of the above for one frame: which pieces belong together, what is accepted, what refused
    sticks            what tells a 1 from lines, fingers and rims
    surroundings      what tells a digit from leaves, bricks and stars: what is around it
    tracking          readings of frame after frame -> one that votes

and around it: `live` is the loop of realtime_multiformat.py, with `drawing`, `outputs`, `controls`, `cameras` and
`collecting` (window, files, keys, devices, pictures that are kept); `card`, `keras_config` and `verify` vouch for a
model file before and after it is opened.
"""
