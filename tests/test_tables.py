"""The tables of kernels on the pages are the table of kernels."""

import re
import sys
from html import unescape
from pathlib import Path

import pytest
from rows import OTHERS

from attention_pooling import KERNELS

sys.path.append(str(Path(__file__).parents[1] / "src"))
from book_site import kernels  # noqa: E402

COLUMNS = {
    "kernels": {"Kernel": "name", "In words": "words"},
    "summary": {"Kernel": "name", "Smoothness": "smoothness"},
}


def columns(page):
    """Return the columns of a page's table of kernels, by their titles."""
    for table in re.findall(r"<table.*?</table>", page, re.DOTALL):
        head, *body = (
            [unescape(re.sub(r"<[^>]*>", "", cell)) for cell in cells]
            for cells in (
                re.findall(r"<t[hd]\b.*?>(.*?)</t[hd]>", row, re.DOTALL)
                for row in re.findall(r"<tr.*?</tr>", table, re.DOTALL)
            )
        )
        if head[0] == "Kernel":
            return dict(zip(head, zip(*body, strict=True), strict=True))
    return {}


@pytest.mark.parametrize("page", COLUMNS)
def test_a_page_has_a_row_for_each_kernel(html, page):
    found = columns((html / "chapters" / f"{page}.html").read_text())
    for title, attribute in COLUMNS[page].items():
        assert found[title] == tuple(getattr(kernel, attribute) for kernel in KERNELS.values())


@pytest.mark.parametrize("kernel", [*KERNELS.values(), *OTHERS.values()])
def test_the_width_that_looks_equal_is_by_the_spread(kernel):
    told = kernels.equal_width(kernel)
    if kernel.name == "constant":
        assert told == "none"
    else:
        root, top, bottom = re.fullmatch(r"\$(\\sqrt)?\{?(\d+)/?(\d*)\}?\$", told).groups()
        width = (int(top) / int(bottom or 1)) ** (0.5 if root else 1)
        assert width * kernel.spread == pytest.approx(1, rel=1e-12)


def test_reach_is_in_units_of_the_width():
    reaches = [kernels.reach(kernel) for kernel in (*KERNELS.values(), OTHERS["tent"])]
    assert reaches[:3] == ["everywhere", r"$\sigma$", "everywhere"]
    assert reaches[-1] == r"$2\sigma$"


def test_efficiency_is_a_share_of_epanechnikov_s_keys():
    told = {name: kernels.efficiency(kernel) for name, kernel in KERNELS.items()}
    # Silverman 1986, table 3.1.
    assert told["gaussian"] == "95.1 %"
    assert told["boxcar"] == "93.0 %"
    assert told["triangular"] == "98.6 %"
    assert told["epanechnikov"] == "100.0 %"
    assert told["constant"] == "none"
