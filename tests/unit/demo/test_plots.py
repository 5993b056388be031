"""The report's plots: marks that do not collide, lines that are drawn once, round axes."""

import re

from trivet.demo.plots import Mark, Series, line_plot
from trivet.demo.report import shorten_ids

TICKS = ("4 Mar", "11 Mar", "18 Mar", "25 Mar")
SERVED = Series("with repair", "--ember", (0.8, 0.7, 0.75, 0.8))
FROZEN = Series("without", "--ink-3", (0.8, 0.7, 0.72, 0.71), dashed=True)


def test_words_of_marks_that_are_near_stand_in_different_rows() -> None:
    drawn = line_plot(TICKS, [SERVED], [Mark(1.0, "delay@2"), Mark(1.05, "bad week")], title="x")
    rows = re.findall(r'class="mark" x="[\d.]+" y="([\d.]+)"', drawn)
    assert len(set(rows)) == 2


def test_a_line_is_drawn_only_where_it_leaves_the_first() -> None:
    drawn = line_plot(TICKS, [SERVED, FROZEN], title="x")
    dashed, whole = re.findall(r'class="line" d="([^"]+)"', drawn)
    assert (dashed.count("L"), whole.count("L")) == (2, 3)


def test_shares_are_written_as_per_cent_at_round_values() -> None:
    drawn = line_plot(TICKS, [SERVED], title="x", percent=True)
    assert ">70 %<" in drawn
    assert ">80 %<" in drawn


def test_a_plot_of_nothing_says_so() -> None:
    assert "No data" in line_plot((), [Series("a", "--ink", ())], title="nothing")


def test_long_ids_are_cut_in_their_middle() -> None:
    assert shorten_ids(f"run:{'0a' * 16} failed") == "run:0a0a…0a0a failed"
