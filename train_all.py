"""Images in, seven trained networks, their figures and the winner's exports out.

    python train_all.py --quick     the whole thing on a few thousand images, under runs/quick/
    python train_all.py             all of MNIST and your own images in data/custom/
    python train_all.py --release   longer: MobileNetV2 with all its layers; renews the leaderboard and figures kept
    python train_all.py --teach     a minute: the default export's last layers, on your own images and corrections
    python train_all.py --finder    the network that finds digits in a frame, on nothing but rendered frames

Run it again after a break of any kind: it goes on where it was, and what is done is not done again.
"""

import argparse
import os
import shlex
import shutil
import sys
import time
from dataclasses import replace
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow's notes on how it was built

from digits.files import in_words, printable
from digits.learning.experiment.config import SEED, RunConfig
from digits.learning.networks.registry import NETWORKS, TRANSFER, Origin
from digits.learning.shared.provenance import Cost
from digits.learning.shared.silence import load_tensorflow
from digits.outputs import say
from digits.paths import EXPORTS_DIR, MODELS_DIR, RUNS_DIR, SAMPLES_DIR


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code: 0 done, 1 cannot go on, 2 bad arguments, 130 interrupted."""
    options = parse(arguments)
    if options.bundle:
        return bundle(options)
    from digits.learning.shared.progress import Console

    with Console() as report:
        try:
            job = teach if options.teach else finder if options.finder else run_all
            job(options, report)
        except KeyboardInterrupt:
            report(f"Stopped. The same command goes on from here: {command(options)}")
            return 130
        except _foreseen() as error:
            report.error(_sentence(error))
            return 1
    return 0


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Return the options; argparse ends the program with 2 where they make no sense."""
    where = "Results: exports/, and runs/full/ or, of a release, models/."
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0], epilog=where)
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--quick", action="store_true", help="minutes: few images, everything under runs/quick/")
    length.add_argument("--release", action="store_true", help="longest: all-layer training, renews what is kept")
    parser.add_argument("--models", nargs="+", choices=NETWORKS, metavar="NAME",
                        help="train these alone: " + " ".join(NETWORKS))  # fmt: skip
    parser.add_argument("--custom", type=Path, metavar="DIR|ZIP", help="your own images (default: data/custom)")
    parser.add_argument("--epochs", type=_positive, metavar="N", help="at most N epochs in each stage")
    parser.add_argument("--seed", type=_seed, default=SEED, help="of weights, order and augmentation (default: 0); "
                        "with --release another one only adds rows to compare")  # fmt: skip
    parser.add_argument("--seeds", type=_positive, default=1, metavar="N", help="train each model with N seeds, from "
                        "--seed on; those after the first only add rows to compare")  # fmt: skip
    parser.add_argument("--cluster", nargs="?", const="here", metavar="ADDRESS", help="share trainings out with Ray "
                        "here, or on a running cluster: auto or HOST:PORT")  # fmt: skip
    parser.add_argument("--fresh", action="store_true", help="forget what earlier calls trained")
    parser.add_argument("--imagenet-weights", metavar="FILE|none", help="starting weights of MobileNetV2, or none")
    job = parser.add_mutually_exclusive_group()
    job.add_argument("--no-camera", action="store_true", help="train without rendered pictures, to compare")
    job.add_argument("--teach", action="store_true", help="refit the default export's last layers on your images")
    job.add_argument("--finder", action="store_true", help="train the network that finds digits in a frame")
    job.add_argument("--bundle", action="store_true", help="only write digits_webcam.pyz, one file to carry")
    parser.add_argument("--tensorboard", type=Path, metavar="DIR", help="write TensorBoard's logs there")
    parser.add_argument("--out", type=Path, metavar="DIR", help="write models/, exports/, merged/ under this folder")
    options = parser.parse_args(arguments)
    unused = options.release, options.models, options.epochs, options.imagenet_weights, options.tensorboard
    if options.teach and any(unused):
        parser.error("--teach refits the default export: it takes --quick, --custom, --seed, --fresh and --out alone")
    if (options.seeds > 1 or options.cluster) and (options.teach or options.finder or options.bundle):
        parser.error("--seeds and --cluster go with none of --teach, --finder and --bundle")
    if options.bundle and options.custom:
        parser.error("--bundle trains nothing: it takes no --custom")
    if options.no_camera and TRANSFER in (options.models or [TRANSFER]):
        parser.error("--no-camera is for the convolutional networks: name them with --models")
    if options.models is None:
        options.models = [name for name, network in NETWORKS.items() if network.in_quick_runs or not options.quick]
    options.arguments = sys.argv[1:] if arguments is None else arguments
    return options


def bundle(options: argparse.Namespace) -> int:
    """Write the default export as one file to carry, without TensorFlow; return the exit code. Nothing is trained."""
    from digits.learning.export.bundle import write_bundle
    from digits.reading.models.default import default_in
    from digits.reading.models.errors import ModelError

    try:
        path = write_bundle(default_in(configure(options).exports_dir))
    except (ModelError, OSError) as error:
        say(in_words(error))
        return 1
    print(f"{printable(path)} ({path.stat().st_size / 1e6:.1f} MB): python {path.name} shows the window")
    return 0


def configure(options: argparse.Namespace) -> RunConfig:
    """Return the settings that the options stand for."""
    preset = RunConfig.quick_run if options.quick else RunConfig.release_run if options.release else RunConfig
    config = preset(seed=options.seed)
    if options.no_camera:
        config = config.without_camera()
    if options.out:
        config = config.under(options.out)
    if options.custom:
        from digits.learning.data.class_zip import UNPACKED, own_folder

        custom = own_folder(options.custom, (options.out or RUNS_DIR) / UNPACKED)
        config = replace(config, custom_dir=custom)
    return config.with_epochs(options.epochs) if options.epochs else config


def run_all(options: argparse.Namespace, report) -> None:
    """Do everything: data, networks, leaderboard, figures, exports, and a photograph read with what was exported."""
    cost = Cost()
    config = configure(options)
    if options.cluster:
        from digits.cluster.connect import require_ray

        require_ray("--cluster")
    report("Loading TensorFlow")
    load_tensorflow()
    from digits.files import tidy_up
    from digits.learning.experiment.data import load_data
    from digits.learning.experiment.own_results import read_own, report_own
    from digits.learning.experiment.report import report_run, tabulate
    from digits.learning.experiment.results import RESULTS, keep_results
    from digits.learning.experiment.run import Run
    from digits.learning.export.outcome import material_of, sample_photograph
    from digits.learning.networks.imagenet import Weights, imagenet_weights
    from digits.learning.shared.lock import run_lock
    from digits.learning.training.fit import require_tensorboard

    if options.tensorboard:
        require_tensorboard(options.tensorboard)
    from_nothing = not config.cache_dir.exists()
    with run_lock(config.models_dir):
        folders = [seed.model_folder(name) for seed in config.with_seeds(options.seeds) for name in options.models]
        for folder in (config.cache_dir, *folders):
            tidy_up(folder)
        if options.fresh:
            for folder in folders:
                shutil.rmtree(folder, ignore_errors=True)
        weights = Weights(None, Origin.RANDOM)
        if TRANSFER in options.models:
            weights = imagenet_weights(options.imagenet_weights, report)
        data = load_data(config, report, options.models)
        run = Run(config, data, weights, command(options), report, options.tensorboard)
        if options.cluster:
            from digits.cluster.train import train_on_cluster

            cost.part("cluster")
            train_on_cluster(options.models, config.with_seeds(options.seeds), run, options.cluster)
        outcomes, further = train_seeds(run, options, cost)
        cost.part("end")
        place = results_dir(config)
        if config.no_camera or config.further_seed:  # lines to compare with, nothing to use
            tabulate(run, outcomes, place, further)
        else:
            default = _default_of(config.exports_dir)
            best = report_run(run, outcomes, place, default, further)
            keep_results({name: config.model_folder(name) for name in outcomes}, data, place / RESULTS)
            own, said = own_before(config, default)
            material = material_of(run)
            del data, run
            folder = export(material, outcomes, best, default)
            if own is not None:
                report_own(own, said, read_own(folder, own), config.reports_dir, report)
            read_sample(folder, sample_photograph(SAMPLES_DIR), config.quick, report)
        report(cost.write(place / "run.json", command(options), from_nothing))


def train_seeds(run, options: argparse.Namespace, cost: Cost) -> tuple[dict, list]:
    """Train each model named with each seed; return the first seed's outcomes by name, and the others' rows."""
    from digits.learning.experiment.train import train_model

    outcomes, further, number = {}, [], 0
    for config in run.config.with_seeds(options.seeds):
        for name in options.models:
            number += 1
            title = f"{name}, seed {config.seed}" if config.repeated else name
            run.report(f"{title} ({number} of {options.seeds * len(options.models)})")
            cost.part(title)
            outcome = train_model(name, replace(run, config=config))
            if config.repeated:
                further += outcome.rows
            else:
                outcomes[name] = outcome
    return outcomes, further


def teach(options: argparse.Namespace, report) -> None:
    """Refit the last layers of the default export on the user's own images; export it if that is better."""
    began = time.monotonic()
    config = configure(options)
    report("Loading TensorFlow")
    load_tensorflow()
    from digits.learning.shared.lock import run_lock
    from digits.learning.teaching import teach as teaching

    with run_lock(config.models_dir):
        teaching.teach(config, command(options), report, options.fresh)
    report(f"Done in {time.monotonic() - began:.0f} s")


def finder(options: argparse.Namespace, report) -> None:
    """Train the network that finds digits, and export it."""
    config = configure(options)
    report("Loading TensorFlow")
    load_tensorflow()
    from digits.learning.finder.stage import FinderConfig, make_finder
    from digits.learning.shared.lock import run_lock
    from digits.reading.models.default import FINDER

    preset = FinderConfig.quick if options.quick else FinderConfig.release if options.release else FinderConfig.plain
    with run_lock(config.models_dir):
        folder = config.models_dir / FINDER
        if options.fresh:
            shutil.rmtree(folder, ignore_errors=True)
        make_finder(preset(options.seed), folder, config.exports_dir / FINDER, command(options), report)


def export(material, outcomes: dict, best: str, before: str | None) -> Path:
    """Export the winner, in a long run MobileNetV2 too; return the folder of what is the default from now on.

    `before` is the default so far: it stays if it is better, or cannot be compared.
    """
    from digits.learning.experiment.leaderboard import LEADERBOARD, chosen, incomparable, read_leaderboard
    from digits.learning.export.exporting import make_default
    from digits.learning.export.outcome import export_outcome

    config, report = material.config, material.report
    table = read_leaderboard(results_dir(config) / LEADERBOARD)
    earlier = chosen(table, config.seed, material.judged_on)
    if earlier not in outcomes and (config.exports_dir / str(earlier)).is_dir():  # only some were trained now
        report(f"{earlier}, trained earlier, is better by validation and stays the default")
        return config.exports_dir / earlier
    if incomparable(table, before, outcomes, config.seed, material.judged_on):
        report(f"{before}, judged on other validation pictures, stays the default: train it again to compare")
        return config.exports_dir / before
    names = [best] if config.quick or TRANSFER not in outcomes else dict.fromkeys([TRANSFER, best])
    for name in names:
        folder = export_outcome(name, outcomes[name], material)
        report(f"Exported {name} and checked each file against the Keras model: {folder}")
    make_default(config.exports_dir, best)
    if before not in (None, best):
        report(f"{best} is the default from now on; it was {before}")
    return config.exports_dir / best


def _default_of(exports_dir: Path) -> str | None:
    from digits.reading.models.default import default_in
    from digits.reading.models.errors import ModelError

    try:
        return default_in(exports_dir).name
    except ModelError:
        return None


def own_before(config: RunConfig, default: str | None) -> tuple:
    """Return the own pictures and what the default so far says of them, float32 (N, 10); None for what there is not.

    Where there is no default yet, as in a first quick run, it is what the release says.
    """
    from digits.learning.experiment.own_results import load_own, read_own
    from digits.reading.models.default import default_in
    from digits.reading.models.errors import ModelError

    own = load_own(config.merged_dir)
    if own is None:
        return None, None
    try:
        return own, read_own(config.exports_dir / default if default else default_in(EXPORTS_DIR), own)
    except ModelError:
        return own, None


def read_sample(folder: Path, sample, quick: bool, report) -> None:
    """Read a photograph with the model just exported, the way the camera script does, and say whether it is right.

    Raises:
        RunError: if nothing is found in it, not even something to refuse: then the way from picture to digit is broken.
    """
    from digits.learning.shared.errors import RunError
    from digits.reading.models.loading import load_model
    from digits.reading.reader import Reader

    model = load_model(folder)
    reading = Reader(model).read(sample.frame)
    if not (reading.digits or reading.rejected):
        raise RunError(f"Nothing was found in {sample.name}, which shows a {sample.digit}: the installation is broken; "
                       "run the tests (python -m pytest tests/reading).")
    found = " ".join(f"{digit.digit} ({digit.confidence:.2f})" for digit in reading.digits) or "nothing surely"
    report(f"Reading {sample.name}, a {sample.digit}, with {model.path}: {found}")
    if [digit.digit for digit in reading.digits] == [sample.digit]:
        report("Right. Everything works, from the pictures to the exported file.")
    else:
        why = ("no surprise after minutes on a few thousand images; python train_all.py trains for longer" if quick
               else "look at the figures, and at your own images with python -m digits.learning.dataset audit")
        report(f"Wrong: {why}. Everything works, from the pictures to the exported file.")


def results_dir(config: RunConfig) -> Path:
    """Return where leaderboard and figures go: those that are kept are renewed by --release alone."""
    return RUNS_DIR / "full" if config.models_dir == MODELS_DIR and not config.release else config.models_dir


def command(options: argparse.Namespace) -> str:
    """Return the command line that was given, as it can be typed again."""
    return shlex.join(["python", "train_all.py", *options.arguments])


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is less than 1")
    return number


def _seed(text: str) -> int:
    number = int(text)
    if not 0 <= number < 2**32:
        raise argparse.ArgumentTypeError(f"{number} is not from 0 to {2**32 - 1}")
    return number


def _foreseen() -> tuple[type[Exception], ...]:
    import tensorflow as tf

    from digits.learning.data.merged_folder import DatasetError
    from digits.learning.shared.download import DownloadError
    from digits.learning.shared.errors import RunError
    from digits.reading.models.errors import ModelError

    theirs = (tf.errors.ResourceExhaustedError, tf.errors.PermissionDeniedError)  # no memory or room, no right to write
    return RunError, DownloadError, DatasetError, ModelError, OSError, *theirs


def _sentence(error: Exception) -> str:
    if isinstance(error, OSError):
        place = f" ({error.filename})" if error.filename else ""
        return f"{error.strerror or error}{place}; make room or give --out another folder, then run this again"
    if hasattr(error, "error_code"):  # one of TensorFlow's own
        return f"TensorFlow says: {str(error).splitlines()[0]}"
    return str(error)


if __name__ == "__main__":
    sys.exit(main())
