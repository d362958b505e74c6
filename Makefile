# Everything a developer or CI does. `make` alone lists the targets.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules --no-print-directory

# Which Python makes the environment: the first of these that is new enough. Another one: make env PYTHON=...
PYTHON ?=
CANDIDATES := $(PYTHON) python3 python3.13 python3.12 python3.11

BIN := .venv/bin
INSTALLED := .venv/.installed
PIP := $(BIN)/python -m pip --disable-pip-version-check
# One process more than there are cores, for many tests wait for a server. The tests of a file share what they make, so
# they stay in one process.
PROCESSES := $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)
PYTEST := $(BIN)/pytest --numprocesses $(PROCESSES) --dist loadfile
CHECKED := $(wildcard src flows tests tools benchmarks)
# Command and Debian package of what the tests use beside Python.
TOOLS := cc:gcc serdi:serdi rapper:raptor2-utils java:default-jre-headless mvn:maven git:git zstd:zstd virtuoso-t:virtuoso-opensource-7-bin chromium:chromium nginx:nginx-light systemd-analyze:systemd node:nodejs npm:npm

.PHONY: help env run docs pages test test-slow bench bench-full ci-deps jars format lock flows pins wheel clean distclean

help: ## list the targets
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 20

env: $(INSTALLED) ## make .venv with the package, editable, and all its tools

# An environment knows the folder that it was made in: in a moved or copied checkout it is made anew.
ifneq ($(shell cat $(INSTALLED) 2>/dev/null),$(CURDIR))
.PHONY: $(INSTALLED)
endif

$(INSTALLED): pyproject.toml constraints.txt $(wildcard src/pfocr_rdf/kernels/*)
	@if [ "$$(cat $@ 2>/dev/null)" != "$(CURDIR)" ] || ! $(BIN)/python -c '' 2>/dev/null; then \
	  for python in $(CANDIDATES); do \
	    if "$$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	      echo "making .venv with $$("$$python" --version)"; "$$python" -m venv --clear .venv; break; \
	    fi; \
	  done; \
	fi
	@[ -x $(BIN)/python ] || { echo "no Python 3.11 or newer that can make environments was found (on Debian: python3 and python3-venv); name one with: make env PYTHON=..." >&2; exit 1; }
	@rm -f $@
	@# The build backend comes first and from the lock as well, so that building takes nothing unpinned.
	@$(PIP) install --quiet --constraint constraints.txt setuptools
	@$(PIP) install --quiet --constraint constraints.txt --no-build-isolation --editable '.[flows,dask,s3,release,serve,docs,dev]'
	@echo '$(CURDIR)' > $@

run: env ## build the graph of seeds/ into output/build and ask it the example question
	$(BIN)/python -m flows.build --source seeds --out output/build
	$(BIN)/pfocr-rdf query --on output/build --file docs/queries/seed-genes.rq

docs: env ## make the site of the documentation in build/site, to be read from disk
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

pages: env ## write the pages of docs/ that are made from queries, terms, commands and checks
	$(BIN)/python tools/make_pages.py
	$(BIN)/python -m tools.write_checks

test: env ## lint, format check, types, tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy $(CHECKED)
	$(PYTEST)

test-slow: env ## the tests that take minutes
	$(PYTEST) -m slow

# What the programs that also run at the size of the whole database are given; make bench-full sets it.
FULL ?=
bench: env ## run the programs of benchmarks/, at moderate sizes
	@failed=; \
	for program in benchmarks/bench_*.py; do \
	  [ -e "$$program" ] || { echo 'benchmarks/ has no bench_*.py' >&2; exit 1; }; \
	  full=; \
	  case "$$program" in *_limit.py|*_scale.py|*_update.py|*_killed.py|*_describe.py|*_load.py|*_questions.py) full='$(FULL)';; esac; \
	  echo "== $$program $$full"; $(BIN)/python "$$program" $$full || failed="$$failed $$program"; \
	done; \
	[ -z "$$failed" ] || { echo "failed:$$failed" >&2; exit 1; }

bench-full: env ## the same, at 110,000 figures where a goal is for the whole database (takes long)
	@$(MAKE) bench FULL=--full

ci-deps: ## install the programs that the tests use (Debian, root or sudo), and fetch the jars
	@missing=; \
	for tool in $(TOOLS); do command -v "$${tool%%:*}" >/dev/null || missing="$$missing $${tool##*:}"; done; \
	header='import pathlib, sys, sysconfig; sys.exit(not pathlib.Path(sysconfig.get_path("include"), "Python.h").exists())'; \
	for python in $(CANDIDATES); do \
	  if command -v "$$python" >/dev/null; then "$$python" -c "$$header" || missing="$$missing python3-dev libc6-dev"; break; fi; \
	done; \
	if [ -n "$$missing" ]; then \
	  command -v apt-get >/dev/null || { echo "not Debian, so install these by hand:$$missing" >&2; exit 1; }; \
	  sudo=; \
	  if [ "$$(id -u)" -ne 0 ]; then \
	    command -v sudo >/dev/null || { echo "neither root nor sudo, so have these installed:$$missing" >&2; exit 1; }; \
	    sudo=sudo; \
	  fi; \
	  $$sudo apt-get update --quiet; \
	  $$sudo env DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet --no-install-recommends $$missing; \
	fi
	@$(MAKE) jars

jars: env ## fetch the pinned jars into build/jars and check them
	@$(BIN)/python -m tests.support

format: env ## put the code in order
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: env ## write constraints.txt anew, with the newest versions that pyproject.toml allows
	rm -rf build/lock
	$(BIN)/python -m venv build/lock
	build/lock/bin/python -m pip --disable-pip-version-check install --quiet --editable '.[flows,dask,s3,release,serve,docs,dev]'
	{ head -n 1 constraints.txt; build/lock/bin/python -m pip freeze --all --exclude pip --exclude-editable | LC_ALL=C sort -f; } > build/constraints.txt
	mv build/constraints.txt constraints.txt
	rm -rf build/lock

# What the flows convert, and the port of Prefect's pages: make flows SOURCE=... PORT=...
SOURCE ?=
PORT ?= 4200
flows: env ## run Prefect's server, a worker and the nightly flow here, until Ctrl-C
	@$(BIN)/python tools/run_flows.py --port $(PORT) --source "$(SOURCE)"

pins: env ## try which pins of the extra flows can be lifted, in fresh environments (takes minutes)
	@$(BIN)/python -m tools.try_pins

wheel: env ## build the wheel into dist/
	rm -rf build/lib* build/bdist.* build/temp.*
	$(BIN)/python -m build --wheel --no-isolation --outdir dist

clean: ## remove what was built, the caches and output/; keep .venv and the jars
	rm -rf build/lib* build/bdist.* build/temp.* build/lock build/pins build/constraints.txt dist src/*.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find $(CHECKED) ontologies -name __pycache__ -prune -exec rm -rf {} +
	find output -mindepth 1 ! -name .gitkeep -delete

distclean: clean ## clean, and remove .venv and build/ too
	rm -rf .venv build
