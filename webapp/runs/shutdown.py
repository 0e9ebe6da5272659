"""Whether this worker is shutting down, known to every process of its pool.

Celery tells the parent alone; a byte of shared memory, made before the fork, tells the children.
No lock: a killed child could never hold it.
"""

import ctypes
from multiprocessing.sharedctypes import RawValue

_stopping = RawValue(ctypes.c_bool, False)


def announce() -> None:
    _stopping.value = True


def announced() -> bool:
    return bool(_stopping.value)
