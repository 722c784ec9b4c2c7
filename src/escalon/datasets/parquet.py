"""Parquet files whose bytes depend on the data alone."""

from io import BytesIO
from pathlib import Path

import polars as pl

__all__ = ["render_parquet", "write_parquet"]


def write_parquet(frame: pl.DataFrame, path: Path) -> None:
    """Write ``frame`` as Parquet (zstd, one row group of at most 100 000 rows)."""
    path.write_bytes(render_parquet(frame))


def render_parquet(frame: pl.DataFrame) -> bytes:
    """Return the bytes of the Parquet file of ``frame``; equal frames give equal bytes."""
    buffer = BytesIO()
    frame.write_parquet(
        buffer, compression="zstd", compression_level=3, statistics=True, row_group_size=100_000
    )
    return buffer.getvalue()
