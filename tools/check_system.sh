#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Looks for what pip cannot install, before anything is installed, and names the Debian packages that are missing.
#
#   tools/check_system.sh             says what is missing and how to get it; exit 1 if anything is
#   tools/check_system.sh --packages  prints the missing packages only, for scripts; exit 0
#
# PYTHON chooses the interpreter (default python3).
set -euo pipefail

python=${PYTHON:-python3}
python_package=${python##*/}
problems=()
packages=()

missing() { # what it is, the Debian package that has it
  problems+=("$1 is missing (Debian package $2)")
  packages+=("$2")
}

python_says() { "$python" -c "$1" >/dev/null 2>&1; }

check_platform() {
  if [ "$(uname -sm)" != "Linux x86_64" ]; then
    problems+=("this is $(uname -sm); the ROS wheels exist for Linux x86_64 only: install ROS and build with colcon instead")
  fi
}

check_python() {
  if ! python_says ''; then
    missing "$python" "$python_package"
    return
  fi
  if ! python_says 'import sys; assert (3, 11) <= sys.version_info[:2] <= (3, 13)'; then
    problems+=("$python is $("$python" --version); the pinned wheels exist for Python 3.11, 3.12 and 3.13: choose one, e.g. make PYTHON=python3.11")
  fi
  python_says 'import venv, ensurepip' || missing "the module venv of $python" "$python_package-venv"
  python_says 'import sysconfig, pathlib; assert (pathlib.Path(sysconfig.get_paths()["include"]) / "Python.h").exists()' ||
    missing "Python.h of $python" "$python_package-dev"
}

check_build_tools() {
  command -v cmake >/dev/null || missing cmake cmake
  command -v make >/dev/null || missing make make
  command -v gcc >/dev/null || missing "a C compiler" gcc
  command -v g++ >/dev/null || missing "a C++ compiler" g++
}

check_libraries() { # Open3D loads them: 0.19 for Python 3.11 and 3.12, else 0.20
  local libraries="libGL.so.1=libgl1 libX11.so.6=libx11-6 libudev.so.1=libudev1" pair
  if python_says 'import sys; assert sys.version_info >= (3, 13)'; then
    libraries+=" libEGL.so.1=libegl1 libidn2.so.0=libidn2-0 libusb-1.0.so.0=libusb-1.0-0"
  else
    libraries+=" libgomp.so.1=libgomp1"
  fi
  for pair in $libraries; do
    python_says "import ctypes; ctypes.CDLL('${pair%=*}')" || missing "${pair%=*}" "${pair#*=}"
  done
}

check_platform
check_python
check_build_tools
if python_says ''; then
  check_libraries
fi

if [ "${1:-}" = --packages ]; then
  echo "${packages[*]:-}"
elif [ ${#problems[@]} -gt 0 ]; then
  printf 'check_system: %s\n' "${problems[@]}" >&2
  if [ ${#packages[@]} -gt 0 ]; then
    echo "check_system: get them with: sudo apt-get install ${packages[*]}" >&2
  fi
  exit 1
fi
