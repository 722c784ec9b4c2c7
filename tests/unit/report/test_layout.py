import re

import altair as alt
import polars as pl

from escalon.report.tables.layout import Grid
from escalon.report.theme import render_svg


def test_a_table_escapes_its_text_and_keeps_its_id():
    grid = Grid("t-x", "A <caption>", "Row", {"a": "A & B"}, {}, ["note <1>"])
    grid.add("x <y>", {"a": "1 < 2"})
    text = grid.render()
    assert 'id="t-x"' in text
    assert "<caption>A &lt;caption&gt;</caption>" in text
    for shown in ("A &amp; B", "x &lt;y&gt;", "1 &lt; 2", "note &lt;1&gt;"):
        assert shown in text
    assert "<style" not in text


def test_a_table_without_rows_says_so():
    assert "nothing to show" in Grid("t-x", "Deaths", "Row", {"a": "A"}).render()


def test_rows_name_their_cells_for_screen_readers():
    grid = Grid("t-x", "C", "Row", {"a": "A"}, {"Both": ["a"]})
    grid.add("first", {"a": "1"}, group="G")
    text = grid.render()
    assert re.search(r'<th scope="row"[^>]*>first</th>', text)
    assert 'scope="colgroup"' in text


def chart():
    frame = pl.DataFrame({"x": [1.0, 2.0], "y": [1.0, 3.0]})
    return alt.Chart(frame).mark_line(clip=True).encode(x="x:Q", y="y:Q")


def test_figures_have_their_own_ids_and_the_same_bytes():
    one, again, other = (render_svg(chart(), name, "label") for name in ("f-a", "f-a", "f-b"))
    assert one == again
    ids = [set(re.findall(r'\bid="([^"]+)"', svg)) for svg in (one, other)]
    assert ids[0]
    assert not ids[0] & ids[1]
    assert set(re.findall(r"url\(#([^)]+)\)", one)) <= ids[0]


def test_the_label_of_a_figure_is_escaped():
    assert 'aria-label="a &lt;b&gt; &quot;c&quot;"' in render_svg(chart(), "f", 'a <b> "c"')
