"""Ray, started on this machine or found on a cluster."""

import importlib.util
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager

from digits.learning.shared.errors import RunError
from digits.learning.shared.workers import available_cores
from digits.paths import PACKAGE_ROOT
from digits.reading.models.errors import brief

HERE = "here"  # the address of a cluster of this machine alone, which ends with this process
# CPUs are counted, not held. Two steps of Ray Data (the filter of what is done, cutting into blocks) take one each,
# hardly use it, and wait for ever without a word where readers have all.
SPARE_CPUS = 2


def require_ray(command: str) -> None:
    """Raise RunError, which says what to install, unless Ray is there."""
    if not all(map(importlib.util.find_spec, ("ray", "pyarrow"))):
        raise RunError(f'{command} needs Ray: python -m pip install -e ".[cluster]"')


@contextmanager
def cluster(address: str, spare: int = 0, show_output: bool = False) -> Iterator[int]:
    """Connect to Ray at `HERE`, "auto" or HOST:PORT; yield how many CPUs there are, without those to `spare`.

    `show_output` passes on what workers print. Raises RunError if there is no such cluster, or Ray gives up.
    """
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # what Ray will do by itself, and warns of
    import ray

    search = os.pathsep.join(filter(None, (str(PACKAGE_ROOT), os.environ.get("PYTHONPATH"))))  # workers inherit none
    local = {"num_cpus": available_cores() + spare, "include_dashboard": False} if address == HERE else {}
    try:
        ray.init("local" if local else address, log_to_driver=show_output, logging_level=logging.ERROR,
                 runtime_env={"env_vars": {"PYTHONPATH": search}}, **local)  # fmt: skip
    except Exception as error:  # Ray raises what it likes, bare ones too
        raise RunError(f"Ray does not start, or is not found, at {address} ({brief(error)}); start a cluster "
                       "with ray start --head, or try again without an address") from error  # fmt: skip
    try:
        counted = int(ray.cluster_resources().get("CPU", 0))
        if counted <= spare:
            raise RunError(f"the cluster counts {counted} CPUs, expected {spare + 1} or more; start its head with "
                           f"ray start --head --num-cpus={available_cores() + spare}")  # fmt: skip
        yield counted - spare
    except ray.exceptions.RayError as error:
        cause = getattr(error, "cause", None) or error
        known = isinstance(cause, RunError)
        raise cause if known else RunError(f"Ray gave up ({brief(cause)}); run this again") from error
    finally:
        ray.shutdown()
