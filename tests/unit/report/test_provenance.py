from escalon.protocol.provenance import Provenance
from escalon.report.provenance import Sources


def row(path, tag, source=None, file="study.yaml"):
    return Provenance(file, path, "x", tag, source, 1)


SOURCES = Sources(
    [
        row("a.b", "registry", "r1"),
        row("a.c.0", "publication"),
        row("a.c.1", "assumption"),
        row("d", "derived"),
        row("a.b", "assumption", file="forms/ae.yaml"),
    ],
    {"r1": "Register record"},
)


def test_a_value_has_the_tag_that_stands_before_it():
    assert (SOURCES.tagged("x", "a.b").tag, SOURCES.tagged("x", "a.b").source) == (
        "registry",
        "Register record",
    )


def test_a_value_made_of_several_has_the_weakest_tag():
    assert SOURCES.tagged("x", "a.c").tag == "assumption"
    assert SOURCES.tagged("x", "a.b", "d").tag == "derived"


def test_a_part_of_a_tagged_value_has_its_tag():
    assert SOURCES.tagged("x", "d.0").tag == "derived"


def test_an_untagged_text_has_no_tag():
    assert SOURCES.tagged("x", "nowhere").tag is None


def test_groups_hold_every_value_once_assumptions_first():
    groups = SOURCES.groups()
    assert [group.tag for group in groups] == ["assumption", "derived", "publication", "registry"]
    assert sum(group.count for group in groups) == 5
    assert SOURCES.counts() == {"registry": 1, "publication": 1, "derived": 1, "assumption": 2}
