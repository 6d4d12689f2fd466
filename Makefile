# SPDX-License-Identifier: Apache-2.0
# A fresh clone without ROS and without root: everything lands in .venv/, build/ and out/. On a robot use colcon.

ROS ?= jazzy#          the ROS 2 distribution: jazzy or kilted
PYTHON ?= python3#     the interpreter of the venv: Python 3.11, 3.12 or 3.13

ifeq ($(filter jazzy kilted,$(ROS)),)
$(error ROS=$(ROS): there are pinned wheels for jazzy and kilted; build with colcon on other distributions)
endif

VENV := .venv/$(ROS)
DONE := $(VENV)/.done
BUILD := build/$(ROS)
PIP := $(VENV)/bin/python -m pip install --quiet --disable-pip-version-check

# A ROS sourced in this shell must not leak in.
unexport PYTHONPATH LD_LIBRARY_PATH COLCON_PREFIX_PATH ROS_DISTRO
export AMENT_PREFIX_PATH := $(CURDIR)/$(VENV)
export CMAKE_PREFIX_PATH := $(CURDIR)/$(VENV)

.PHONY: help demo test test-kilted lint bench pictures build clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18
	@echo "Variables: ROS=jazzy|kilted  PYTHON=python3.11"

demo: build ## a rendered room, real ROS 2 nodes, three queries and a question; results in out/demo
	$(VENV)/bin/scene-r1 demo

test: build $(DONE)/models $(DONE)/dev ## all tests, with real nodes over real DDS (ROS=kilted for the other distribution)
	$(VENV)/bin/python -m pytest -rs

test-kilted: ## all tests on ROS 2 Kilted
	$(MAKE) test ROS=kilted

lint: $(DONE)/ros $(DONE)/dev ## ruff and mypy
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

bench: build $(DONE)/models ## accuracy, speed and memory beside what others do, printed and stored as JSON (ten minutes)
	$(VENV)/bin/scene-r1 bench

pictures: build ## docs/steps/*.png: six things of rendered rooms, found step by step (a minute)
	$(VENV)/bin/python -m tools.pictures

build: $(BUILD)/.done ## the venv and the interfaces, without running anything

clean: ## remove what was built and written; the venvs stay
	rm -rf build install log out .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find scene_r1_ros test launch -name __pycache__ -prune -exec rm -rf {} +

# The venv: each stamp lies in it, and goes with it -------------------------------------------------------------------

$(DONE)/venv:
	@PYTHON="$(PYTHON)" tools/check_system.sh
	$(PYTHON) -m venv $(VENV)
	@mkdir -p $(DONE) && touch $@

$(DONE)/ros: requirements/core.txt requirements/$(ROS).txt | $(DONE)/venv
	@echo "Installing the core and ROS 2 $(ROS) into $(VENV): 1.4 GB, some minutes"
	$(PIP) -r requirements/core.txt -r requirements/$(ROS).txt
	@touch $@

$(DONE)/models: $(addprefix requirements/,models.txt train.txt sam2.txt edgetam.txt serve.txt) | $(DONE)/ros
	@echo "Installing torch, transformers, sam2 and trl into $(VENV): 1.2 GB"
	$(PIP) -r requirements/models.txt -r requirements/train.txt
	SAM2_BUILD_CUDA=0 $(PIP) --no-build-isolation --no-deps -r requirements/sam2.txt
	$(PIP) --no-deps --upgrade --target $(VENV)/edgetam -r requirements/edgetam.txt
	$(PIP) --no-deps --upgrade --target $(VENV)/serve -r requirements/serve.txt
	@touch $@

$(DONE)/dev: requirements/dev.txt | $(DONE)/ros
	$(PIP) -r requirements/dev.txt
	@touch $@

# The package, into the venv, so that nothing needs to be sourced -----------------------------------------------------

INTERFACES := CMakeLists.txt package.xml tools/script.py.in $(wildcard action/*.action msg/*.msg)
# Python and shared files are linked, not copied: only a new name needs a new build, and changes its folder.
FOLDERS := $(shell find scene_r1_ros config launch rviz -type d ! -name __pycache__)

# MAKEFLAGS of this make would make colcon's make serial.
$(BUILD)/.done: $(INTERFACES) $(FOLDERS) $(DONE)/ros
	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL PATH="$(CURDIR)/$(VENV)/bin:$$PATH" \
	  $(VENV)/bin/colcon --log-base $(BUILD)/log build --paths . \
	  --build-base $(BUILD) --install-base $(VENV) --merge-install --symlink-install \
	  --cmake-args -DBUILD_TESTING=OFF -DPython3_EXECUTABLE=$(CURDIR)/$(VENV)/bin/python
	@touch $@
