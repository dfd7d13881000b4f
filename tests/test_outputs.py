"""What libraries write past Python is dropped, and nothing of what is said to the user."""

import os
import threading

from digits.outputs import diverted, say


def test_a_sentence_said_while_another_thread_diverts_standard_error_is_not_lost(capfd):
    inside, may_end = threading.Event(), threading.Event()

    def decode():
        with diverted(2):
            os.write(2, b"Corrupt JPEG data\n")
            inside.set()
            may_end.wait(10)

    thread = threading.Thread(target=decode)
    thread.start()
    assert inside.wait(10)
    threading.Timer(0.2, may_end.set).start()
    say("The camera was lost.")
    thread.join()
    assert capfd.readouterr().err == "The camera was lost.\n"


def test_threads_that_divert_at_once_leave_standard_error_as_it_was(capfd, tmp_path):
    def divert(number):
        with open(tmp_path / str(number), "w+b") as file:
            for _ in range(200):
                with diverted(1, 2, to=file):
                    os.write(2, b"past Python\n")

    threads = [threading.Thread(target=divert, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    os.write(2, b"heard\n")
    assert capfd.readouterr().err == "heard\n"
    assert all((tmp_path / str(number)).read_bytes() == b"past Python\n" * 200 for number in range(4))
