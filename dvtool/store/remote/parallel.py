"""Doing the same to many items at once, for requests that are small and many.

Called where a remote reads indexes, roots and packs; uploads and downloads of blobs have pools of
their own, which bound disk and memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

_In = TypeVar("_In")
_Out = TypeVar("_Out")


def parallel(action: Callable[[_In], _Out], items: Iterable[_In], *, jobs: int) -> list[_Out]:
    """Returns `action` of each item, in order, by up to `jobs` threads.

    Raises:
        DvtoolError: The first failure, in the order of the items; what had not begun is dropped.
    """
    todo = list(items)
    if len(todo) < 2 or jobs == 1:
        return [action(item) for item in todo]
    with ThreadPoolExecutor(min(jobs, len(todo))) as pool:
        futures = [pool.submit(action, item) for item in todo]
        try:
            return [future.result() for future in futures]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
