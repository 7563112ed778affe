"""Count in how many draws each sentence holds: ``python -m claims [chapter …] [--seeds N]``."""

import argparse
import multiprocessing
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from time import perf_counter

from . import chapters, claims_of, text_of
from .pages import judged


def main():
    """Run the pages, print the shares, and return whether a sentence has to go."""
    parser = argparse.ArgumentParser(prog="python -m claims", description=__doc__)
    parser.add_argument("chapters", nargs="*", default=chapters(), metavar="chapter")
    parser.add_argument("--seeds", type=int, default=20, help="how many draws")
    parser.add_argument("--first", type=int, default=0, help="the first of them")
    asked = parser.parse_args()
    seeds = range(asked.first, asked.first + asked.seeds)
    start = perf_counter()
    # A worker that was forked would inherit the threads of libraries in an unknown state.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(os.cpu_count(), context) as pool:
        work = {
            chapter: {seed: pool.submit(judged, chapter, seed) for seed in {0, *seeds}}
            for chapter in asked.chapters
        }
        faults = [told(chapter, seeds, runs) for chapter, runs in work.items()]
    print(f"\n{len(seeds)} seeds in {perf_counter() - start:.0f} s")
    return any(faults)


def told(chapter, seeds, runs):
    """Print the shares of a chapter and return whether one is too small."""
    page, claims = text_of(chapter), claims_of(chapter)
    results = {seed: run.result() for seed, run in runs.items()}
    seconds = sum(time for _, time in results.values()) / len(results)
    print(f"\n{chapter}: {len(claims)} claims, {seconds:.1f} s a seed")
    fault = False
    for i, claim in sorted(enumerate(claims), key=lambda pair: page.index(pair[1].sentence)):
        count = sum(results[seed][0][i] for seed in seeds)
        stands = claim.stands(page, results[0][0][i], count / len(seeds))
        mark = "draw" if claim.is_about_one_draw(page) else "    "
        print(f"{'  ' if stands else '! '}{count:3}/{len(seeds)} {mark}  {claim.sentence}")
        fault |= not stands
    return fault


if __name__ == "__main__":
    sys.exit(main())
