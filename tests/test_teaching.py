"""What a chapter says that a reader can do after it is what its exercises ask for."""

import re
from pathlib import Path

import pages

CHAPTERS = Path(__file__).parents[1] / "chapters"
TAUGHT = [name for name in pages.listed() if name not in pages.AROUND]


def aims(chapter):
    """The exercises that each aim of a chapter names."""
    text = (CHAPTERS / f"{chapter}.md").read_text("utf-8")
    (listed,) = re.findall(r"^After this chapter you can\n\n((?:- .*\n)+)", text, re.MULTILINE)
    return [re.findall(r"\{ref\}`(ex-[a-z-]+)`", line) for line in listed.splitlines()]


def test_each_chapter_has_three_aims_and_each_aim_an_exercise():
    for chapter in TAUGHT:
        assert [bool(named) for named in aims(chapter)] == [True] * 3, chapter


def test_each_exercise_serves_the_aim_of_some_chapter():
    text = (CHAPTERS / "exercises.md").read_text("utf-8")
    exercises = re.findall(r"^:label: (ex-[a-z-]+)$", text, re.MULTILINE)
    assert {name for chapter in TAUGHT for named in aims(chapter) for name in named} == {*exercises}


def test_each_chapter_tells_how_long_it_takes_and_none_is_too_long_for_one_sitting(html):
    for chapter in TAUGHT:
        page = (html / "chapters" / f"{chapter}.html").read_text("utf-8")
        (told,) = re.findall(r'<p class="reading-time">(\d+) minutes to read</p>', page)
        assert 3 <= int(told) <= 25, chapter
        # A page of 200 words takes a minute: what is read is between a half and all of the text.
        text = (CHAPTERS / f"{chapter}.md").read_text("utf-8")
        prose = re.sub(r"```\{code-cell\}.*?\n```", "", text, flags=re.DOTALL)
        assert 0.4 < 200 * int(told) / len(prose.split()) < 1.3, chapter
