"""Charts as SVG."""

import math
import re
from itertools import pairwise

import pytest

from specialize.reports.charts import Dumbbell, Series, curves, dumbbells, strips


def test_labels_of_curves_do_not_overlap_and_stay_above_the_axis() -> None:
    """Five curves ending at 0, on the axis; axis labels are 20 units lower."""
    rows = [Series(f"arm {n}", n, [(0, 1.0), (2, n / 1000)]) for n in range(5)]
    chart = str(curves("title", rows, x_name="epoch", show="{:g}".format))
    heights = re.findall(r'<text x="[\d.]+" y="([\d.]+)" class="name', chart)
    found = [float(height) for height in heights]
    assert len(found) == 5
    assert max(found) <= 264
    assert all(later - earlier >= 16 for earlier, later in pairwise(found))


def test_a_chart_is_as_wide_as_its_longest_label() -> None:
    for label, width in (("short", 680), ("x" * 40, 880)):
        row = Series(label, 0, [(0, 1.0)])
        chart = str(curves("title", [row], x_name="x", show="{:g}".format))
        assert f'viewBox="0 0 {width} 308"' in chart


@pytest.mark.parametrize(("before", "after"), [(0.0, 0.0), (0.25, 0.25), (0.2, 0.9), (1e-9, 0.0)])
def test_dumbbells_of_any_values_have_finite_positions(before: float, after: float) -> None:
    chart = dumbbells("title", [Dumbbell("<text>", before, after)], floor=0, show="{:.2f}".format)
    assert "&lt;text&gt;" in chart
    assert all(map(math.isfinite, map(float, re.findall(r'cx="([^"]+)"', str(chart)))))
    assert f"{before:.2f} before, {after:.2f} after" in chart


def test_strips_have_a_dot_per_seed_and_a_bar_at_the_mean() -> None:
    chart = str(strips("LAS", [Series("tva", 2, [(1, 40.0), (2, 44.0)])]))
    dots = [float(x) for x in re.findall(r'<circle cx="([\d.]+)"', chart)]
    (bar,) = re.findall(r'<line x1="([\d.]+)"[^>]+class="mean s2"', chart)
    assert float(bar) == pytest.approx(sum(dots) / 2, abs=0.1)
    assert "seed 2: 44.0" in chart
    assert "42.0 ± 2.8" in chart


def test_steps_are_equally_far_apart_and_points_between_them_in_proportion() -> None:
    row = Series("tva", 1, [(0, 1.0), (10, 0.5), (60, 0.4), (110, 0.3)])
    chart = str(curves("t", [row], x_name="x", show="{:g}".format, steps=(0, 10, 110)))
    xs = [float(x) for x in re.findall(r'<circle cx="([\d.]+)"', chart)]
    assert xs == [58.0, 299.0, 419.5, 540.0]


def test_each_seed_is_a_thin_line_inside_the_scale() -> None:
    row = Series("tva", 1, [(0, 1.0), (1, 2.0)], seeds=[[(0, 0.0), (1, 9.0)], [(0, 2.0), (1, 3.0)]])
    chart = str(curves("t", [row], x_name="x", show="{:g}".format))
    assert chart.count('class="thin s1"') == 2
    assert chart.count('class="curve s1"') == 1
    heights = [float(y) for y in re.findall(r"[\d.]+,([-\d.]+)", chart)]
    assert min(heights) >= 10
    assert max(heights) <= 260
