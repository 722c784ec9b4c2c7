from datetime import UTC, datetime

import polars as pl
import pytest

from escalon.datasets import build_adam, build_sdtm, load_spec, write_datasets
from escalon.datasets.parquet import render_parquet
from tests.unit.datasets.cases import edge_state, study

CUT = datetime(2024, 3, 1, tzinfo=UTC)


def test_two_runs_write_the_same_bytes(tmp_path):
    contents = []
    for run in ("one", "two"):
        sdtm = build_sdtm(edge_state(), study())
        write_datasets(sdtm, tmp_path / run / "sdtm", "sdtm", CUT)
        write_datasets(
            build_adam(sdtm, edge_state(), study()), tmp_path / run / "adam", load_spec("adam"), CUT
        )
        files = sorted(path for path in (tmp_path / run).rglob("*") if path.is_file())
        contents.append([(path.relative_to(tmp_path / run).as_posix(), path.read_bytes()) for path in files])
    assert contents[0] == contents[1]
    names = [name for name, _ in contents[0]]
    assert len(names) == 2 * (len(load_spec("sdtm")) + len(load_spec("adam")))
    assert {"sdtm/dm.parquet", "sdtm/suppae.xpt", "adam/adtte.xpt"} <= set(names)


def test_parquet_reads_back_equal_and_does_not_depend_on_pieces(sdtm, tmp_path):
    frame = sdtm["LB"]
    pieces = pl.concat([frame.head(10), frame.slice(10)], rechunk=False)
    assert pieces.n_chunks() == 2
    assert render_parquet(pieces) == render_parquet(frame)
    (tmp_path / "lb.parquet").write_bytes(render_parquet(frame))
    assert pl.read_parquet(tmp_path / "lb.parquet").equals(frame)


def test_every_fault_is_named_and_nothing_is_written(sdtm, tmp_path):
    broken = {
        "SS": sdtm["SS"].with_columns(SSORRES=pl.lit("déjà vu")),
        "PR": sdtm["PR"].drop("EPOCH"),
        "ZZ": sdtm["PR"],
    }
    with pytest.raises(ValueError, match="ZZ is not a data set") as caught:
        write_datasets(broken, tmp_path / "out", "sdtm", CUT)
    assert "SS.SSORRES: 'déjà vu'; only printable ASCII" in str(caught.value)
    assert "PR: variables" in str(caught.value)
    assert not (tmp_path / "out").exists()
