"""The tables that RESULTS.md alone shows; those that the README quotes, too, are in readme_numbers.py."""

from readme_numbers import MissingError, Results, Say, percent, table

SHOWN = {"ours": "**this project**"}  # other contestants go by their title


def commits(results: Results, say: Say) -> str:
    """Return which commit and command made how many rows of the leaderboard."""
    counts: dict[tuple, int] = {}
    for row in results.leaderboard():
        counts[row.commit, row.command] = counts.get((row.commit, row.command), 0) + 1
    rows = [[f"`{command}`", commit or "", str(count)] for (commit, command), count in counts.items()]
    return table(say, ["Command", "Commit", "Rows"], rows, words=(0, 1))


def test_set(results: Results, say: Say) -> str:
    """Return what the released model makes of MNIST's test set, and what its export was made with."""
    test, card = results.test(), results.card()
    rows = [["Accuracy", percent(test["accuracy"], 2)], ["Mistakes", f"{test['errors']}"],
            ["Confidence off by, on average, before the temperature", percent(test["calibration_error"], 2)],
            ["… after it", percent(test["calibration_error_scaled"], 2)],
            ["Command", f"`{card['command']}`"], ["Commit", card["commit"]]]  # fmt: skip
    return table(say, ["MNIST test", ""], rows)


def real_pages(results: Results, say: Say, model: str | None = None) -> str:
    """Return what is read of pages by other people, of pictures without a digit, and of a clip."""
    found, rows = results.camera(model=model), []
    if "pages" in found:
        f1, count = found["pages"]["f1"], len(found["pages"]["pages"])
        rows.append([f"{count} pages by other people (F1, in reading order)", f"{f1['all']:.3f}"])
        rows.append(["… those that nobody looked at while developing", f"{f1['counted_only']:.3f}"])
    if "nodigits" in found:
        none = found["nodigits"]
        rows.append([f"{none['pictures']} pictures without a digit: something is read in", f"{len(none['read'])}"])
    if "video" in found:
        clip = found["video"]
        for key, text in (("steady_missed", "missed"), ("steady_added", "added")):
            rows.append([f"A clip of 19 digits, held steady: digits {text}, frame by frame",
                         ", ".join(map(str, clip[key]))])  # fmt: skip
    if not rows:
        raise MissingError("camera.json knows no pages; run python benchmarks/camera.py with DIGITS_REAL_*")
    return table(say, ["Pages, rooms, a clip", ""], rows)


def peers(results: Results, say: Say) -> str:
    """Return how well each contestant reads, what it took to learn, and what it costs."""
    rows = []
    for name, one in results.of("peers", "contestants").items():
        shares = [f"{one[kind]['read']} of {one[kind]['pictures']}" if kind in one else ""
                  for kind in ("nodigits", "letters")]  # fmt: skip
        trained = f"{one['train_seconds']:,.0f} s" if "train_seconds" in one else ""
        tiles = percent(one["tiles"]["accuracy"]) if "tiles" in one else ""
        rows.append([SHOWN.get(name, one["title"]), one["version"], tiles, percent(one["photos"]["accuracy"]),
                     f"{one['pages']['all']:.3f}", *shares, trained, f"{one['ms_photo']:.1f} ms",
                     f"{one['size_mb']:.1f} MB"])  # fmt: skip
    for name, why in results.of("peers", "left_out").items():
        rows.append([name, f"left out: {why}", *[""] * 8])
    head = ["", "Version", "MNIST tiles", "Photographs", "Pages (F1)", "No digit: read", "Letters: read", "Training",
            "A photograph", "Size"]  # fmt: skip
    return table(say, head, rows, words=(0, 1))


def peers_examples(results: Results, say: Say) -> str:
    """Return what each contestant says of one page, one letter and an empty desk."""
    found = results.of("peers", "contestants")
    kinds = list(dict.fromkeys(kind for one in found.values() for kind in one["examples"]))
    rows = [[SHOWN.get(name, one["title"]), *(one["examples"].get(kind) or "nothing" for kind in kinds)]
            for name, one in found.items()]  # fmt: skip
    return table(say, ["It reads", *(f"of one {kind}" for kind in kinds)], rows, words=tuple(range(len(kinds) + 1)))


def peers_ways(results: Results, say: Say) -> str:
    """Return how each contestant was used."""
    lines = [f"- {one['title']}: {one['way']}" for one in results.of("peers", "contestants").values()]
    return "\n".join([f"Pictures: {results.of('peers', 'pictures_are')}. Each was used in its usual way:", "", *lines])


def web_page(results: Results, say: Say) -> str:
    """Return how long a frame takes in the browser and in Python, and how well both agree."""
    found = results.of("web_page")
    parts = {"look": "the finder", "digits": "ink and tiles", "predict": "the network", "total": "**the whole frame**"}
    rows = [[text, *(f"{found[f'{side}_ms'][part]:.0f} ms" for side in ("page", "python"))]
            for part, text in parts.items()]  # fmt: skip
    memory = found["memory_mb"]
    rows += [["frames with the same digits, after the first second", percent(found["same_after_a_second"]), ""],
             ["ready after", f"{found['ready_s']:.1f} s", ""], ["size", f"{found['bytes'] / 1e6:.1f} MB", ""],
             ["memory of the browser, first and last of 500 frames", f"{memory[0]:.0f}, {memory[-1]:.0f} MB", ""]]
    return table(say, ["", found["browser"], "Python"], rows)


def whole_runs(results: Results, say: Say) -> str:
    """Return minutes and memory of whole runs."""
    rows = [[f"`{command}`", f"{run['minutes']:.1f}", f"{run['peak_gb']:.1f} GB",
             ", ".join(f"{part} {minutes}" for part, minutes in run["minutes_of"].items())]
            for command, run in results.of("whole_run").items()]  # fmt: skip
    return table(say, ["Command", "Minutes", "Peak memory", "Minutes of each part"], rows, words=(0, 3))


def weight_decay(results: Results, say: Say) -> str:
    """Return the rows of the trainings with more weight decay."""
    rows = [[f"{row['seed']}", *(percent(row[f"{key}_accuracy"], 2) for key in ("val", "val_camera", "test"))]
            for row in results.of("weight_decay", "rows")]  # fmt: skip
    return table(say, ["Seed", "Validation", "… after camera changes", "MNIST test"], rows)


def own_images(results: Results, say: Say) -> str:
    """Return what is read after learning from MNIST, from own images, and from both, network by network."""
    found, rows = results.of("own_images"), []
    for network, answers in found.items():
        if isinstance(answers, dict) and "both" in answers:
            rows += [[network, learnt, percent(answer["accuracy"]), percent(answer["calibration"])]
                     for learnt, answer in answers.items()]  # fmt: skip
    head = ["Network", "Learnt from", f"{found['tested']} photographs", "MNIST's calibration pictures"]
    return table(say, head, rows, words=(0, 1))


def drill(results: Results, say: Say) -> str:
    """Return how many cases of each cause end as they should, and what did not."""
    found = results.of("drill")
    rows = [[cause, f"{one['cases']}", f"{one['clean']}", f"{one['seconds']} s"]
            for cause, one in found["causes"].items()]  # fmt: skip
    problems = "\n".join(f"- not clean: {line}" for line in found["problems"])
    return f"{table(say, ['Cause', 'Cases', 'Clean', 'Took'], rows)}\n\n{problems}".rstrip()
