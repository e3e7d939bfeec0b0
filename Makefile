# make demo   everything from a fresh clone: install, start, one patient, cards, stop
# make test   install what tests need and run them all
# make serve  start and stay        make check  lint, types, import contracts
# make bench  figures and their bars       make fuzz   50,000 changed CDS Hooks calls, attacks on the sealed road, and
#                                                      errors of sealed sums over 10,000 people

PYTHON ?= python3
BIN := .venv/bin
SETUP := $(PYTHON) build_support/setup.py
BROWSER := $(PYTHON) build_support/browser.py

.PHONY: demo test serve check bench fuzz clean
.DEFAULT_GOAL := demo

demo: .venv/.run
	@$(BROWSER)
	@$(BIN)/fhirtwin demo

serve: .venv/.run
	@$(BROWSER)
	@$(BIN)/fhirtwin serve --open --data data

test: .venv/.test
	@$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest $(PYTEST)
	@$(BIN)/coverage combine -q
	@$(BIN)/coverage report --skip-covered --sort=cover

check: .venv/.lint
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/deptry .
	$(BIN)/hadolint Dockerfile

BENCHMARKS := panel my_twin models patient_view cds_crowd cds_call validating fhir_server cds_jwt noting tenants \
  aggregates noisy_logistic circuits cohort sealed_genes

bench: export OPENBLAS_NUM_THREADS = 1
bench: .venv/.bench
	@missed=; for one in $(BENCHMARKS); do printf '\n== %s\n' "$$one"; \
	  $(BIN)/python -m benchmarks.$$one || missed="$$missed $$one"; done; \
	  test -z "$$missed" || { echo; echo "a bar was missed by:$$missed"; exit 1; }

fuzz: .venv/.test
	$(BIN)/python -m tests.api_cds.fuzzing $(FUZZ)
	$(BIN)/python -m tests.engine.attacks
	OPENBLAS_NUM_THREADS=1 $(BIN)/python -m benchmarks.errors $(ERRORS)

.venv/.run: pyproject.toml build_support/setup.py build_support/seal-offline.cmake build_support/hatch_build.py
	@$(SETUP) run

.venv/.test: .venv/.run build_support/extras.py
	@$(SETUP) test

.venv/.bench: .venv/.test
	@$(SETUP) bench

.venv/.lint: .venv/.run
	@$(SETUP) lint

clean:
	rm -rf .venv build dist browser/node_modules fhirtwin/api/ui/built .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .coverage .coverage.*
