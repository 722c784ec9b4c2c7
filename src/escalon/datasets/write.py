"""Data sets to files: each as Parquet and as SAS transport, checked against the specification first."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Literal

import polars as pl

from escalon.datasets.parquet import write_parquet
from escalon.datasets.spec import DatasetSpec, check_frame, load_spec
from escalon.datasets.xpt import check_transport, write_xpt

__all__ = ["check_datasets", "write_datasets"]


def write_datasets(
    frames: Mapping[str, pl.DataFrame],
    folder: Path,
    spec: Literal["sdtm", "adam"] | Mapping[str, DatasetSpec],
    cut_moment: datetime,
) -> list[Path]:
    """Write each of ``frames`` as ``<name>.parquet`` and ``<name>.xpt`` (lower case) into ``folder``.

    Args:
        frames: data sets by name.
        folder: made when it is missing.
        spec: ``sdtm``, ``adam`` or a specification by data set name.
        cut_moment: moment of the data cut, UTC; the time of creation in the transport headers.

    Returns:
        The files written, in order.

    Raises:
        ValueError: naming every departure from the specification or the format; then nothing is written.
    """
    specs = load_spec(spec) if isinstance(spec, str) else spec
    problems = check_datasets(frames, specs)
    if problems:
        raise ValueError("; ".join(problems))
    folder.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    for name, frame in frames.items():
        parquet, transport = folder / f"{name.lower()}.parquet", folder / f"{name.lower()}.xpt"
        write_parquet(frame, parquet)
        write_xpt(frame, transport, specs[name], cut_moment)
        written += [parquet, transport]
    return written


def check_datasets(
    frames: Mapping[str, pl.DataFrame], specs: Mapping[str, DatasetSpec], complete: bool = False
) -> list[str]:
    """Return every departure of ``frames`` from ``specs`` and the transport format; see ``check_frame`` for
    ``complete``."""
    problems = [f"{name} is not a data set of the specification" for name in frames if name not in specs]
    for name, frame in frames.items():
        if name in specs:
            problems += check_frame(frame, specs[name], complete) or check_transport(frame, specs[name])
    return problems
