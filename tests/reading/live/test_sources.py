import itertools
import threading
import time

import cv2
import numpy as np
import pytest

from digits.reading.live import sources, streams
from digits.reading.live.cameras import Camera, find_camera, list_cameras
from digits.reading.live.frames import Frame, SourceError, SourceMissingError, Waiting, as_bgr
from digits.reading.live.sources import open_source
from digits.reading.live.streams import Live


def picture(value=200, size=(64, 48)):
    return np.full((size[1], size[0], 3), value, np.uint8)


def write_video(path, frames=12, size=(64, 48), codec="MJPG"):
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*codec), 25, size)
    assert writer.isOpened()
    for index in range(frames):
        writer.write(picture(20 * index % 256, size))
    writer.release()
    return path


def read_all(text, report=None):
    source = open_source(str(text), report or (lambda sentence: None))
    try:
        return list(source)
    finally:
        source.close()


def test_a_video_comes_frame_by_frame_with_its_times(tmp_path):
    frames = read_all(write_video(tmp_path / "clip.avi"))
    assert [frame.index for frame in frames] == list(range(12))
    assert [frame.time_s for frame in frames] == pytest.approx([index / 25 for index in range(12)], abs=0.02)
    assert not any(frame.still for frame in frames)
    assert [round(float(frame.image.mean()) / 20) for frame in frames] == list(range(12)), "none skipped, none twice"


def test_a_truncated_video_is_read_as_far_as_it_goes(tmp_path):
    path = write_video(tmp_path / "clip.avi", frames=40, size=(320, 240))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    said = []
    frames = read_all(path, said.append)
    assert 5 < len(frames) < 35
    assert len(said) == 1 and "ends early" in said[0]


@pytest.mark.parametrize("content", [b"", b"not a video at all", b"RIFF\x00\x00\x00\x00AVI LIST" + bytes(400)])
def test_an_unreadable_video_is_one_sentence(tmp_path, content):
    (tmp_path / "clip.avi").write_bytes(content)
    with pytest.raises(SourceError, match=r"clip\.avi"):
        read_all(tmp_path / "clip.avi")


def test_a_folder_is_read_in_name_order_whatever_lies_in_it(tmp_path):
    for name, image in {"b.png": picture(), "c.jpg": picture(size=(32, 80)), "a.bmp": picture()}.items():
        cv2.imwrite(str(tmp_path / name), image)
    cv2.imwrite(str(tmp_path / "d16.png"), np.full((20, 30), 40000, np.uint16))
    cv2.imwrite(str(tmp_path / "e1.png"), np.zeros((1, 1), np.uint8))
    (tmp_path / "broken.png").write_bytes(b"\x89PNG")
    (tmp_path / "notes_01.txt").write_text("hello")
    (tmp_path / ".DS_Store").write_bytes(b"x")
    (tmp_path / "z").mkdir()
    write_video(tmp_path / "z" / "clip.avi", frames=3)
    said = []
    frames = read_all(tmp_path, said.append)
    names = [frame.source.removeprefix(str(tmp_path)).replace("\\", "/") for frame in frames]
    assert names == ["/a.bmp", "/b.png", "/c.jpg", "/d16.png", "/e1.png"] + ["/z/clip.avi"] * 3
    assert [frame.still for frame in frames] == [True] * 5 + [False] * 3
    assert all(frame.image.dtype == np.uint8 and frame.image.shape[2] == 3 for frame in frames)
    assert frames[3].image.mean() == pytest.approx(156, abs=2)
    assert len(said) == 2 and "notes_01.txt" in said[0] and "broken.png" in said[1]


def test_a_folder_without_anything_readable_is_an_error(tmp_path):
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(SourceError, match="no picture or video"):
        read_all(tmp_path)
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8nothing")
    with pytest.raises(SourceError, match="could be read"):
        read_all(tmp_path)


def test_a_single_picture_is_still_and_a_broken_one_an_error(tmp_path):
    path = tmp_path / "año nuevo.png"
    path.write_bytes(cv2.imencode(".png", picture())[1].tobytes())
    (frame,) = read_all(path)
    assert frame.still and frame.source == str(path) and frame.image.shape == (48, 64, 3)
    path.write_bytes(b"no picture")
    with pytest.raises(SourceError, match="nuevo"):
        read_all(path)


def test_what_is_not_there_is_missing(tmp_path):
    with pytest.raises(SourceMissingError, match="nowhere.mp4"):
        open_source(str(tmp_path / "nowhere.mp4"), print)


def test_the_demo_that_is_not_there_is_a_sentence(monkeypatch, tmp_path):
    monkeypatch.setattr(sources, "DEMO_CLIP", tmp_path / "demo.mp4")
    with pytest.raises(SourceError, match="demo clip"):
        open_source("demo", print)


def test_every_kind_of_frame_becomes_bgr():
    grey = np.full((4, 6), 100, np.uint8)
    for frame in (grey, grey[:, :, None], cv2.merge([grey] * 3), cv2.merge([grey] * 4)):
        assert as_bgr(frame).shape == (4, 6, 3) and as_bgr(frame).dtype == np.uint8
    ten_bits = np.linspace(0, 1023, 24).astype(np.uint16).reshape(4, 6)
    sixteen = np.linspace(0, 65535, 24).astype(np.uint16).reshape(4, 6)
    assert as_bgr(ten_bits).max() == 255 and as_bgr(sixteen).max() == 255
    assert as_bgr(np.full((4, 6, 2), 128, np.uint8)).shape == (4, 6, 3)


class FakeCapture:
    """A camera that gives one grey level after another, then fails for ever."""

    def __init__(self, frames, pause_s=0.002):
        self.left, self.pause_s, self.released = iter(frames), pause_s, False

    def read(self):
        time.sleep(self.pause_s)
        image = next(self.left, None)
        return image is not None, image

    def release(self):
        self.released = True


def live(opener, said=None):
    return Live("fake", opener, (said if said is not None else []).append, "fake cannot be opened.")


def test_a_camera_hands_over_the_newest_frame():
    capture = FakeCapture(np.full((4, 6), level % 256, np.uint8) for level in itertools.count())
    source = live(lambda: capture)
    levels = []
    for item in source:
        if isinstance(item, Frame):
            levels.append(int(item.image[0, 0, 0]))
            time.sleep(0.05)  # a slow network
        if len(levels) == 4:
            break
    source.close()
    assert levels[-1] - levels[0] > 6, "frames that came meanwhile are passed over"  # in order it would be 3
    assert capture.released


def test_a_camera_that_cannot_be_opened_says_so():
    with pytest.raises(SourceError, match="cannot be opened"):
        list(live(lambda: None))


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
    source = live(opener, said)
    for item in source:
        if isinstance(item, Waiting):
            reasons.append(item.reason)
        else:
            values.append(int(item.image[0, 0, 0]))
        if values and values[-1] == 50:
            break
    source.close()
    assert values[0] == 200 and "lost" in reasons
    assert len(said) == 1 and "trying again for 10 s" in said[0]


def test_a_camera_lost_for_good_is_given_up(monkeypatch):
    monkeypatch.setattr(streams, "RETRY_S", 0.3)
    monkeypatch.setattr(streams, "_SILENT_S", 0.1)
    captures = [FakeCapture([picture()] * 3)]
    waits = []
    with pytest.raises(SourceError, match="was lost"):
        for item in live(lambda: captures.pop() if captures else None):
            if isinstance(item, Waiting) and item.reason == "lost":
                waits.append(item.seconds_left)
    assert waits == sorted(waits, reverse=True)


def test_a_hung_camera_does_not_hang_the_program(monkeypatch):
    monkeypatch.setattr(streams, "RETRY_S", 0.3)
    monkeypatch.setattr(streams, "_SILENT_S", 0.1)
    released = threading.Event()

    class Hung(FakeCapture):
        def read(self):
            ok, image = super().read()
            if not ok:
                released.wait(30)
            return ok, image

    try:
        with pytest.raises(SourceError, match="was lost"):
            list(live(lambda: Hung([picture()])))
    finally:
        released.set()


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
