"""What a browser draws anew in each run leaves no trace in a PDF, and no place in the file moves."""

import re

from csat.report.pdf import settled

#: Struct elements 12, 7 and 120 with the names that one run gave them, and their tree.
PDF = (
    b"<</CreationDate (D:20261123101112+00'00')\n/ModDate (D:20261123101113+00'00')>>"
    b"<</Title (node00000009)>> 7 0 obj <</S /TH /ID (%(b)s)>> 12 0 obj <</S /TH /ID (%(a)s)>> "
    b"120 0 obj <</S /TH /ID (%(c)s)>> <</S /TD /A [<</O /Table /Headers [(%(a)s) (%(c)s)]>>]>> "
    b"<</Limits [(%(first)s) (%(last)s)]\n/Names [%(tree)s]>>"
)


def printed(a, b, c):
    named = sorted([(a, 12), (b, 7), (c, 120)])
    tree = b" ".join(b"(%s) %d 0 R" % pair for pair in named)
    return PDF % {b"a": a, b"b": b, b"c": c, b"first": named[0][0], b"last": named[-1][0], b"tree": tree}


def test_names_of_another_run_give_the_same_bytes():
    runs = [
        printed(b"node00000161", b"node00000163", b"node00003632"),
        printed(b"node00000999", b"node00000140", b"node00000141"),
        printed(b"node00000003", b"node00000002", b"node00000001"),
    ]
    made = {settled(run) for run in runs}
    assert len(made) == 1
    (only,) = made
    assert {len(run) for run in runs} == {len(only)}
    assert b"/Limits [(node00000001) (node00000003)]" in only
    assert b"[(node00000001) 7 0 R (node00000002) 12 0 R (node00000003) 120 0 R]" in only
    assert b"7 0 obj <</S /TH /ID (node00000001)>>" in only and b"/Headers [(node00000002) (node00000003)]" in only
    assert b"/Title (node00000009)" in only, "a heading of this name stays"
    assert re.findall(rb"D:(\d+)", only) == [b"19800101000000"] * 2


def test_a_tree_of_several_leaves_keeps_its_order():
    two = b"(node00000500) 3 0 R (node00000700) 5 0 R] [(node00000900) 9 0 R (node00001000) 11 0 R"
    assert settled(two) == b"(node00000001) 3 0 R (node00000002) 5 0 R] [(node00000003) 9 0 R (node00000004) 11 0 R"


def test_settled_bytes_stay_as_they_are():
    once = settled(printed(b"node00000161", b"node00000163", b"node00003632"))
    assert settled(once) == once
    assert settled(b"no PDF at all") == b"no PDF at all"
