"""The scatter of interference: labels in the frame, none on another or on a dot."""

from itertools import combinations

import numpy as np

from specialize.studies.transfer.scatter import Box, placed, scatter

NAMES = ["en", "tr", "el", "vi", "ta", "ru", "ug", "mt", "wo", "myv", "hsb"]


def test_labels_of_a_crowded_corner_meet_no_label_and_no_dot() -> None:
    random = np.random.default_rng(1)
    dots = [(float(x), float(y)) for x, y in random.uniform([215, 16], [246, 70], (len(NAMES), 2))]
    boxes = [box for box, _ in placed(dots, NAMES)]
    assert all(box.inside for box in boxes)
    assert not any(one.meets(other) for one, other in combinations(boxes, 2))
    assert not any(box.meets(Box(x, y, 9, 9)) for box in boxes for x, y in dots)


def test_a_label_far_from_its_dot_has_a_line_to_it() -> None:
    close = placed([(100.0, 100.0), (200.0, 200.0)], ["aa", "bb"])
    assert [far for _, far in close] == [False, False]
    crowd = [("aa", 1.0, 1.0, True)] * 6
    lines = [scatter("title", crowd[:n]).count("<line") for n in (1, 6)]
    assert lines[0] == 2 < lines[1]  # the axes
