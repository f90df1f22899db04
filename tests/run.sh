#!/usr/bin/env bash
# Sets up .venv and runs every check: format, lint, types, stubs, Rust and Python tests, docs examples.
# Tests of the bridges to JAX and Dask run too; those of PyTorch, a large package, with EXTRAS=torch, else they skip.
set -euo pipefail
cd "$(dirname "$0")/.."

python="${PYTHON:-python3}"
[ -x .venv/bin/python ] || "$python" -m venv .venv
export PYO3_PYTHON="$PWD/.venv/bin/python"

step() { printf '\n== %s\n' "$1"; }

step "install"
.venv/bin/python -m pip install --quiet --upgrade pip
.venv/bin/python -m pip install --quiet --editable ".[test,lint,plot,dask,jax,onnx${EXTRAS:+,$EXTRAS}]" optax

step "format and lint"
cargo fmt --all --check
cargo clippy --quiet --workspace --all-targets -- -D warnings
.venv/bin/ruff format --check .
.venv/bin/ruff check .
.venv/bin/lint-imports

step "types and stubs"
.venv/bin/mypy
(cd python && ../.venv/bin/python -m mypy.stubtest zeroproof._native zeroproof._ops \
    zeroproof.autodiff.tr_ops_grad --allowlist ../tests/typing/stubtest_allowlist.txt)

step "Rust tests and docs examples"
cargo test --quiet --package zeroproof
RUSTDOCFLAGS="-D warnings" cargo doc --quiet --package zeroproof --no-deps

step "Python tests and docs examples"
.venv/bin/python -m pytest --numprocesses auto --dist worksteal
