"""One press runs a chapter from top to bottom, as far as it needs no PyTorch."""

import pages
import pytest
from test_live import Reader


@pytest.fixture(scope="module")
def reader(chromium, own_site):
    reader = Reader(chromium, own_site)
    yield reader
    assert reader.strangers == reader.complaints == []
    reader.context.close()


@pytest.mark.parametrize("chapter", pages.chapters())
def test_every_cell_of_a_chapter_runs_in_the_page(reader, chapter):
    page = reader.open(chapter)
    cells = page.locator(".live-cell")
    page.evaluate(
        """async () => {
      for (const cell of document.querySelectorAll(".live-cell")) {
        const { ok, error } = await cell.live.run();
        if (!ok) throw new Error(`${cell.live.source}\\n\\n${error}`);
      }
    }"""
    )
    assert page.locator(".live-cell[data-state=done]").count() == cells.count() > 0
    page.close()
