"""From records to submission data: SDTM and ADaM frames, SAS transport and Parquet files."""

from escalon.datasets.adam import build_adam
from escalon.datasets.sdtm import build_sdtm
from escalon.datasets.spec import DatasetSpec, Variable, check_frame, load_spec
from escalon.datasets.write import check_datasets, write_datasets

__all__ = [
    "DatasetSpec",
    "Variable",
    "build_adam",
    "build_sdtm",
    "check_datasets",
    "check_frame",
    "load_spec",
    "write_datasets",
]
