"""The same work on threads of this machine, or on a cluster.

A task's result depends on the task alone, so where it runs has no effect on the answer. A worker of the cluster
that dies is replaced: the scheduler gives its tasks to the others.
"""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")

WAIT = 30
"""Seconds to wait for the scheduler and its first worker."""


def spread(
    run: Callable[[Task], Result], tasks: Iterable[Task], where: int | str | None = None
) -> list[Result]:
    """`run` of every task, in the order of the tasks.

    `where`: a number of threads (default 1), or the address of a Dask scheduler, such as "tcp://127.0.0.1:8786";
    its workers need the same version of this package. Raises ValueError for an address that does not answer, a
    cluster without workers, or where the extra "dask" is not installed.
    """
    if isinstance(where, str):
        return _on_cluster(run, list(tasks), where)
    with ThreadPoolExecutor(where or 1) as pool:
        return list(pool.map(run, tasks))


def _on_cluster(run: Callable[[Task], Result], tasks: list[Task], address: str) -> list[Result]:
    try:
        from distributed import Client
    except ImportError:
        raise ValueError(
            f"cluster: {address} needs the optional extra dask: pip install 'escalon[dask]'"
        ) from None
    try:
        client = Client(address, timeout=WAIT, set_as_default=False)  # type: ignore[no-untyped-call]
    except (OSError, ValueError, TypeError) as failure:
        raise ValueError(f"cluster: no Dask scheduler answers at {address!r}: {failure}") from None
    with client:
        try:
            client.wait_for_workers(1, timeout=WAIT)
        except TimeoutError:
            raise ValueError(f"cluster: the scheduler at {address} has no workers") from None
        futures = client.map(run, tasks, pure=False)
        found: list[Any] = client.gather(futures)  # type: ignore[no-untyped-call]
    return found
