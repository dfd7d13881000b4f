"""Short names for what a result was made from."""

import hashlib
import json

import numpy as np


def digest(*parts) -> str:
    """Return 16 hex digits that name the given strings, numbers, arrays and dataclasses together."""
    sha = hashlib.sha256()
    for part in parts:
        if isinstance(part, np.ndarray):
            sha.update(f"{part.dtype}{part.shape}".encode())
            sha.update(np.ascontiguousarray(part).data)
        else:
            sha.update(json.dumps(part, default=str, sort_keys=True).encode())
    return sha.hexdigest()[:16]
