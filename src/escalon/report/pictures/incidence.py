"""What ended the responses, and the events of special interest."""

import polars as pl

from escalon.conduct.state import State
from escalon.protocol.study import Study
from escalon.report.ard import Cells
from escalon.report.figures import incidence
from escalon.report.pictures.picture import Adam, Picture, make_picture
from escalon.report.results.competing import CAUSES, derive_incidence_curves
from escalon.report.results.groups import ALL_INFUSED, derive_people, efficacy_groups, pooled_group
from escalon.report.tables.safety import AESI_NAMES
from escalon.report.wording import count_of

GRADES = (1, 2, 3, 4, 5)


def picture_incidence(adam: Adam, state: State, study: Study) -> Picture:
    """Cumulative incidence of relapse, death and transplant after the first response."""
    names = tuple(efficacy_groups(derive_people(adam), state, study))
    parts, panels = [], []
    for group in (group for group in (pooled_group(names), ALL_INFUSED) if group):
        curve, n = derive_incidence_curves(adam, state, study, group)
        if curve.height:
            panels.append(f"{group}: {count_of(n, 'responder')}")
            parts.append(curve.with_columns(panel=pl.lit(panels[-1])))
    chart = None
    if parts:
        curves = pl.concat(parts)
        months = max(3.0, float(curves["month"].max()) + 0.3)  # type: ignore[arg-type]
        chart = incidence.draw_incidence(curves, panels, tuple(CAUSES.values()), months)
    caption = (
        "Aalen-Johansen estimates: each event takes the patient out of the risk of the others, so the lines add up. "
        "Transplant in response is an event of its own here, neither a relapse nor a censoring; a new therapy censors. "
        "Responders only."
    )
    return make_picture("f-incidence", "What ended the responses: competing risks", caption, chart)


def picture_special(ard: pl.DataFrame) -> Picture:
    """Events of special interest from the infusion on, by dose level and highest grade."""
    cells = Cells(ard, "aesi infused")
    kinds = [kind for kind in cells.variables if kind != "Any"]
    sizes = (
        {group: max((cells.get("N", group, kind) or 0) for kind in kinds) for group in cells.groups}
        if kinds
        else {}
    )
    groups = [f"{group} (n = {int(size)})" for group, size in sizes.items() if size]
    rows = []
    for kind in kinds:
        for group, size in sizes.items():
            for grade in GRADES if size else ():
                n = cells.get(f"n.grade{grade}", group, kind) or 0
                rows.append((AESI_NAMES.get(kind, kind), f"{group} (n = {int(size)})", grade, n / size, n))
    schema = {"kind": pl.String, "group": pl.String, "grade": pl.Int64, "share": pl.Float64, "n": pl.Float64}
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    titles = [AESI_NAMES.get(kind, kind) for kind in kinds]
    chart = incidence.draw_special(frame, groups, titles) if frame["n"].sum() else None
    caption = (
        "Infused patients with at least one event from the infusion on, each once at the highest grade "
        "(CRS and ICANS by ASTCT, GvHD by MAGIC, others by CTCAE)."
    )
    return make_picture("f-aesi", "Events of special interest by dose level", caption, chart)
