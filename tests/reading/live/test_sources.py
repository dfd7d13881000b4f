import itertools
import threading
import time
from contextlib import closing

import cv2
import numpy as np
import pytest
from made_up import write_clip

from digits.reading.live import sources, streams
from digits.reading.live.cameras import Camera, find_camera, list_cameras
from digits.reading.live.frames import Frame, SourceError, Waiting, as_bgr
from digits.reading.live.sources import open_source
from digits.reading.live.streams import Live


def picture(value=200, size=(64, 48)):
    return np.full((size[1], size[0], 3), value, np.uint8)


def read_all(path, report=print):
    with closing(open_source(str(path), report)) as source:
        return list(source)


def test_a_video_comes_frame_by_frame_with_its_times(tmp_path):
    frames = read_all(write_clip(tmp_path / "clip.avi", (picture(20 * index) for index in range(12))))
    assert [frame.index for frame in frames] == list(range(12))
    assert [frame.time_s for frame in frames] == pytest.approx([index / 25 for index in range(12)], abs=0.02)
    assert not any(frame.still for frame in frames)
    assert [round(float(frame.image.mean()) / 20) for frame in frames] == list(range(12)), "none skipped, none twice"


def test_a_truncated_video_is_read_as_far_as_it_goes(tmp_path):
    path = write_clip(tmp_path / "clip.avi", (picture(6 * index, (320, 240)) for index in range(40)))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    said = []
    frames = read_all(path, said.append)
    assert 5 < len(frames) < 35
    assert len(said) == 1 and "ends early" in said[0]


def test_a_folder_without_anything_readable_is_an_error(tmp_path):
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8nothing")
    with pytest.raises(SourceError, match="could be read"):
        read_all(tmp_path)


def test_a_single_picture_is_still(tmp_path):
    path = tmp_path / "año nuevo.png"
    path.write_bytes(cv2.imencode(".png", picture())[1].tobytes())
    (frame,) = read_all(path)
    assert frame.still and frame.source == str(path) and frame.image.shape == (48, 64, 3)


@pytest.mark.parametrize("name, content", [
    ("año nuevo.png", b"no picture"), ("clip.avi", b""), ("clip.avi", b"not a video at all"),
    ("clip.avi", b"RIFF\x00\x00\x00\x00AVI LIST" + bytes(400)),
])  # fmt: skip
def test_a_file_that_cannot_be_read_is_one_sentence(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SourceError, match=name):
        read_all(tmp_path / name)


def test_the_demo_that_is_not_there_is_a_sentence(monkeypatch, tmp_path):
    monkeypatch.setattr(sources, "DEMO_CLIP", tmp_path / "demo.mp4")
    with pytest.raises(SourceError, match="demo clip"):
        open_source("demo", print)


def test_frames_that_only_cameras_give_become_bgr():
    for most in (1023, 65535):
        frame = as_bgr(np.linspace(0, most, 24).astype(np.uint16).reshape(4, 6))
        assert frame.shape == (4, 6, 3) and frame.dtype == np.uint8 and frame.max() == 255
    assert as_bgr(np.full((4, 6, 2), 128, np.uint8)).shape == (4, 6, 3)


class FakeCapture:
    """A camera that gives some frames, then fails for ever."""

    def __init__(self, frames, pause_s=0.002):
        self.left, self.pause_s, self.released = iter(frames), pause_s, False

    def read(self):
        time.sleep(self.pause_s)
        image = next(self.left, None)
        return image is not None, image

    def release(self):
        self.released = True


def live(opener, report=print):
    return Live("fake", opener, report, "fake cannot be opened.")


def test_a_camera_hands_over_the_newest_frame():
    capture = FakeCapture(np.full((4, 6), level % 256, np.uint8) for level in itertools.count())
    levels = []
    with closing(live(lambda: capture)) as source:
        for frame in itertools.islice((item for item in source if isinstance(item, Frame)), 4):
            levels.append(int(frame.image[0, 0, 0]))
            time.sleep(0.05)  # a slow network
    assert levels[-1] - levels[0] > 6, "frames that came meanwhile are passed over"  # in order it would be 3
    assert capture.released


def test_a_lost_camera_is_tried_again_and_goes_on(monkeypatch):
    monkeypatch.setattr(streams, "_SILENT_S", 0.2)
    monkeypatch.setattr(streams, "_REOPEN_S", 0.01)
    captures = [FakeCapture([picture()] * 3), None, None, FakeCapture([picture(50)] * 500)]
    opened = threading.Event()

    def opener():
        if len(captures) == 2:
            opened.wait(0.5)
        return captures.pop(0)

    said, reasons, values = [], [], []
    with closing(live(opener, said.append)) as source:
        for item in source:
            if isinstance(item, Waiting):
                reasons.append(item.reason)
            else:
                values.append(int(item.image[0, 0, 0]))
            if values and values[-1] == 50:
                break
    assert values[0] == 200 and "lost" in reasons
    assert len(said) == 1 and "trying again for 10 s" in said[0]


def test_a_hung_camera_is_given_up_and_does_not_hang_the_program(monkeypatch):
    monkeypatch.setattr(streams, "RETRY_S", 0.3)
    monkeypatch.setattr(streams, "_SILENT_S", 0.1)
    released = threading.Event()

    class Hung(FakeCapture):
        def read(self):
            ok, image = super().read()
            if not ok:
                released.wait(30)
            return ok, image

    waits = []
    try:
        with pytest.raises(SourceError, match="was lost"):
            for item in live(lambda: Hung([picture()])):
                if isinstance(item, Waiting) and item.reason == "lost":
                    waits.append(item.seconds_left)
    finally:
        released.set()
    assert waits == sorted(waits, reverse=True)


def test_cameras_are_listed_and_found_by_name(tmp_path):
    for number, name, index in ((2, "USB Camera", 0), (0, "Integrated Webcam", 0), (1, "Integrated Webcam", 1)):
        node = tmp_path / f"video{number}"
        node.mkdir()
        (node / "name").write_text(f"{name}\n")
        (node / "index").write_text(f"{index}\n")
    cameras = list_cameras("linux", tmp_path)
    assert cameras == [Camera(0, "Integrated Webcam"), Camera(2, "USB Camera")], "metadata nodes give no pictures"
    assert find_camera("usb camera", cameras).index == 2
    assert find_camera("webcam", cameras).index == 0
    assert find_camera("phone", cameras) is None and find_camera("", cameras) is None
