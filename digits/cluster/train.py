"""Trainings as tasks of Ray: each leaves in the models' folder what train_all.py then finds done."""

import os
from dataclasses import replace
from pathlib import Path

import ray

from digits.cluster.connect import cluster
from digits.learning.experiment.config import RunConfig
from digits.learning.experiment.data import Data, calibration_set
from digits.learning.experiment.recipe import transfer_stages
from digits.learning.experiment.run import Run
from digits.learning.experiment.train import is_done, train_model, train_until
from digits.learning.networks.registry import TRANSFER
from digits.learning.shared.errors import RunError
from digits.learning.shared.progress import Lines
from digits.learning.shared.silence import load_tensorflow

_CPUS = 2  # of a training without a GPU; more hardly make networks this small faster
_RETRIES = 10  # after workers that died; a training goes on from the last epoch that it had finished


def train_on_cluster(names: list[str], configs: list[RunConfig], run: Run, address: str) -> None:
    """Train each model with the seed of each of the settings, and come back when all are done; RunError where not."""
    wanted = {name: [config for config in configs if not is_done(name, replace(run, config=config))] for name in names}
    if not any(wanted.values()):
        return
    calibration_set(run.data.calibration, run.config.cache_dir)  # made once, before all ask for it
    with cluster(address, show_output=True):
        data, settings, trainings = ray.put(run.data), replace(run, data=None, report=None), []
        train = ray.remote(max_retries=_RETRIES, max_calls=1, **_needs())(_train)
        for name, chosen in wanted.items():
            stored = None  # trainings of MobileNetV2 fill one store of features, one after the other
            for config in chosen:
                done, stages = stored, [stage.name for stage, _ in transfer_stages(config)] if name == TRANSFER else []
                for stage in (*stages, None):
                    task = train.options(name=f"{config.model_folder(name).name} {stage or 'whole'}")
                    done = task.remote(name, stage, replace(settings, config=config), data, Path.cwd(), done)
                    stored = done if stage in stages[:1] else stored
                trainings.append(done)
        for number, training in enumerate(trainings, 1):
            ray.get(training)
            run.report(f"{number} of {len(trainings)} trainings done")


def _needs() -> dict:
    """Return what one training holds of a machine: a GPU where the cluster has any, else processors."""
    if ray.cluster_resources().get("GPU"):
        return {"num_gpus": 1, "num_cpus": 1}
    cpus = min(_CPUS, max(node["Resources"].get("CPU", 0) for node in ray.nodes() if node["Alive"]))
    return {"num_cpus": cpus, "runtime_env": {"env_vars": {"TF_NUM_INTRAOP_THREADS": str(int(cpus))}}}


def _train(name: str, last: str | None, run: Run, data: Data, folder: Path, _before: None) -> None:
    """Train a model, or MobileNetV2 up to a stage, in a worker that begins in the driver's folder, as paths may."""
    if not folder.is_dir():
        raise RunError(f"{os.uname().nodename} does not see {folder}; start train_all.py where all machines do")
    os.chdir(folder)
    load_tensorflow()
    run = replace(run, data=data, report=Lines(lambda text: print(text, flush=True)))
    train_model(name, run) if last is None else train_until(name, last, run)
