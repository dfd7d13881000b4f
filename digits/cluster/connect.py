"""Ray, started on this machine or found on a cluster."""

import importlib.util
import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager

from digits.learning.shared.errors import RunError
from digits.learning.shared.workers import available_cores
from digits.paths import PACKAGE_ROOT
from digits.reading.models.errors import brief

HERE = "here"  # the address of a cluster of this machine alone, which ends with this process
# CPUs are counted, not held. The filter of what is done takes one, hardly uses it, and waits for ever if there is none.
SPARE_CPUS = 2


def require_ray(command: str) -> None:
    """Raise RunError, which says what to install, unless Ray is there."""
    if not importlib.util.find_spec("ray"):
        raise RunError(f'{command} needs Ray: python -m pip install -e ".[cluster]"')


@contextmanager
def cluster(address: str, spare: int = 0, show_output: bool = False) -> Iterator[int]:
    """Connect to Ray at `HERE`, "auto" or HOST:PORT; yield the CPUs it counts, less `spare`; RunError if it fails."""
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # what Ray will do by itself, and warns of
    import ray

    # Workers know no sys.path. What this machine's inherit starts sooner than what Ray sets up for others'.
    search = os.pathsep.join(filter(None, (str(PACKAGE_ROOT), os.environ.get("PYTHONPATH"))))
    variables = {"PYTHONPATH": search, "TF_CPP_MIN_LOG_LEVEL": "3"}
    options = {"runtime_env": {"env_vars": variables}}
    if address == HERE:
        os.environ.update(variables)
        options = {"address": "local", "num_cpus": available_cores() + spare, "include_dashboard": False}
    try:
        if ":" in address:  # where nobody answers, Ray tries on for many minutes
            socket.create_connection(address.rsplit("/", 1)[-1].rsplit(":", 1), timeout=10).close()
        ray.init(**{"address": address} | options, log_to_driver=show_output, logging_level=logging.ERROR)
    except Exception as error:  # Ray raises what it likes, bare ones too
        failed = "Ray does not start" if address == HERE else f"no cluster answers at {address}"
        hint = "" if address == HERE else " after ray start --head, or without an address"
        raise RunError(f"{failed} ({brief(error)}); run this again{hint}") from error
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
