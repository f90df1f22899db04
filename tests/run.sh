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

# Neither of the two fills two cores, so Python's are checked while the Rust code is compiled.
check_python() {
    .venv/bin/ruff format --check .
    .venv/bin/ruff check .
    .venv/bin/lint-imports
    .venv/bin/mypy
    (cd python && ../.venv/bin/python -m mypy.stubtest zeroproof._native zeroproof._ops \
        zeroproof.autodiff.tr_ops_grad --allowlist ../tests/typing/stubtest_allowlist.txt)
}
found="$(mktemp)"
check_python >"$found" 2>&1 &
checks=$!
trap 'kill "$checks" 2>/dev/null || true; rm -f "$found"' EXIT

step "Rust: format, lint and build of the tests"
cargo fmt --all --check
cargo clippy --quiet --workspace --all-targets -- -D warnings
cargo test --quiet --package zeroproof --package zeroproof-core --no-run

step "Python: format, lint, types and stubs"
passed=0
wait "$checks" || passed=$?
cat "$found"
[ "$passed" -eq 0 ]

step "Rust tests and docs examples"
cargo test --quiet --package zeroproof --package zeroproof-core
RUSTDOCFLAGS="-D warnings" cargo doc --quiet --package zeroproof --package zeroproof-core --no-deps

step "Python tests and docs examples"
.venv/bin/python -m pytest --numprocesses auto --dist worksteal
