"""Read handwritten digits from a camera, a video, a photograph or a folder, with a model in any format.

Keys in the window: q, Esc or the close button quit; 0 to 9 say what the highlighted digit really is (Tab highlights
the next, Backspace takes it back); c captures your own digits one after the other (Space keeps one at once, s skips
one, 0 to 9 choose one); f is full screen; v shows what the finder sees; of several pictures Space or the right arrow
shows the next, the left one the one before.
Exit status: 0 done, 2 bad arguments or missing file, 3 source cannot be opened or was lost, 4 no model could be loaded.
"""

import argparse
import sys
from pathlib import Path

from digits.files import in_utf8, printable
from digits.missing import sentence
from digits.outputs import say

DONE, BAD_ARGUMENTS, NO_SOURCE, NO_MODEL = 0, 2, 3, 4
# Kept here, not imported: --help and mistakes in the arguments answer before OpenCV is loaded.
BACKENDS = ("auto", "any", "msmf", "dshow", "v4l2", "avfoundation", "gstreamer", "ffmpeg")
RECORD_SUFFIXES = (".mp4", ".avi")


def main(arguments: list[str] | None = None) -> int:
    """Run the script; return its exit status."""
    for stream in (sys.stdout, sys.stderr):
        # A cp1252 console cannot write every file name; an escaped letter beats a crash.
        stream.reconfigure(errors="backslashreplace")
    options = parse(arguments)
    try:
        return print_cameras() if options.list_cameras else run(options)
    except ImportError as error:
        return complain(sentence(error), BAD_ARGUMENTS)


def run(options: argparse.Namespace) -> int:
    """Read what the options name; return the exit status."""
    from digits.reading.live import loop
    from digits.reading.live.frames import SourceError, SourceMissingError
    from digits.reading.live.window import DisplayError
    from digits.reading.models.errors import ModelError

    asked = {name: value for name, value in vars(options).items() if name != "list_cameras"}
    try:
        loop.run(loop.Options(**asked), report=complain)
    except KeyboardInterrupt:
        pass  # Ctrl-C is how a run without a window is ended
    except (SourceMissingError, DisplayError) as error:
        return complain(error, BAD_ARGUMENTS)
    except SourceError as error:
        return complain(error, NO_SOURCE)
    except ModelError as error:
        return complain(error, NO_MODEL)
    except OSError as error:
        named = error.filename and error.strerror
        return complain(f"{error.filename} cannot be written: {error.strerror}." if named else error, BAD_ARGUMENTS)
    return DONE


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Return the options; exits with status 2 and one sentence where they make no sense."""
    parser = argparse.ArgumentParser(
        description=__doc__.split("\n")[0], epilog=__doc__.split("\n", 2)[2],
        formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False,
    )  # fmt: skip
    add = parser.add_argument
    add("--model", type=Path, metavar="FILE|FOLDER", help="a model file, or an export folder (its fastest file)")
    add("--source", default="0", metavar="N|NAME|FILE|FOLDER|URL|demo|picamera",
        help="what to read (default: camera 0)")  # fmt: skip
    add("--headless", action="store_true", help="no window; JSON lines go to standard output, or where --jsonl says")
    add("--jsonl", metavar="FILE|-", help="write one JSON object a frame to a file, or to standard output (-)")
    add("--text", action="store_true", help="print the rows of digits, one line a picture")
    add("--record", type=Path, metavar="FILE", help="write the annotated video (.mp4 or .avi)")
    add("--max-frames", type=positive, metavar="N", help="stop after N frames")
    add("--once", action="store_true", help="end with the video or the pictures instead of going on until q")
    add("--scale", type=scale, metavar="X", help="enlarge the window so many times (default: as suits the screen)")
    add("--threads", type=positive, metavar="N", help="threads for the model and OpenCV")
    add("--min-confidence", type=share, metavar="P", help="accept what is a digit with this probability (0 to 1)")
    add("--mirror", action="store_true", help="show the window as a mirror would; results stay as they are")
    add("--orient", choices=("up", "auto"), default="up",
        help="up: as it is, with a hint where a picture looks turned; auto: the way that reads best")  # fmt: skip
    add("--camera-backend", choices=BACKENDS, default="auto", type=str.lower, help="how OpenCV opens the camera")
    add("--list-cameras", action="store_true", help="list the cameras by number and name, and end")
    add("--custom", type=Path, metavar="DIR", help="where pictures kept with the keys go (default: data/custom)")
    add("--lang", choices=("en", "es"), help="language of the window (default: the system's)")
    options = parser.parse_args(arguments)
    problem = problem_with(options)
    if problem:
        parser.exit(BAD_ARGUMENTS, f"{printable(problem)}\n")
    return options


def problem_with(options: argparse.Namespace) -> str | None:
    """Return what is wrong with files and folders named in the arguments, or None."""
    if options.model and not options.model.exists():
        return f"There is no model {options.model}; name a file or folder that exists, or run python train_all.py."
    if options.record and options.record.suffix.lower() not in RECORD_SUFFIXES:
        return f"--record {options.record} must end in .mp4 or .avi."
    if options.record and not in_utf8(options.record):
        return f"--record {options.record} cannot be written: the name is not in UTF-8."
    if options.custom and options.custom.is_file():
        return f"--custom {options.custom} is a file; name the folder that pictures kept with the keys go to."
    written = [options.record, Path(options.jsonl) if options.jsonl not in (None, "-") else None]
    for path in filter(None, written):
        if path.is_dir() or not path.parent.is_dir():
            why = "it is a folder" if path.is_dir() else "its folder does not exist"
            return f"{path} cannot be written: {why}."
    return None


def positive(text: str) -> int:
    """Return a whole number of at least 1."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} was given, a whole number from 1 on was expected")
    return int(text)


def share(text: str) -> float:
    """Return a number from 0 to 1."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0.0 <= value <= 1.0:
        raise argparse.ArgumentTypeError(f"{text} was given, a number from 0 to 1 was expected")
    return value


def scale(text: str) -> float:
    """Return a number from 0.25 to 8."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.25 <= value <= 8.0:
        raise argparse.ArgumentTypeError(f"{text} was given, a number from 0.25 to 8 was expected")
    return value


def print_cameras() -> int:
    """List the cameras, one a line."""
    from digits.reading.live.cameras import list_cameras

    cameras = list_cameras()
    for camera in cameras:
        print(f"{camera.index}  {printable(camera.name)}")
    if not cameras:
        complain("No camera was found; plug one in, or use --source demo.")
    return DONE


def complain(sentence: object, status: int = DONE) -> int:
    """Write one sentence on stderr; return the status."""
    say(sentence)
    return status


if __name__ == "__main__":
    sys.exit(main())
