#!/usr/bin/env bash
# Sets up .venv and runs the checks: format, lint, types, stubs, Rust and Python tests, docs examples.
# Arguments go to pytest: with --slow the tests marked slow run too, as they do weekly.
# Tests of the bridges to JAX and Dask run too; those of PyTorch, a large package, with EXTRAS=torch, else they skip.
set -euo pipefail
cd "$(dirname "$0")/.."

python="${PYTHON:-python3}"
[ -x .venv/bin/python ] || "$python" -m venv .venv
export PYO3_PYTHON="$PWD/.venv/bin/python"

logs="$(mktemp -d)"
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$logs"' EXIT

step() { printf '\n== %s\n' "$1"; }

# Starts a function beside what follows.
beside() {
    "$1" >"$logs/$1" 2>&1 &
    echo $! >"$logs/$1.pid"
}

# Waits for it, shows what it printed, and fails as it did.
finish() {
    local failed=0
    wait "$(cat "$logs/$1.pid")" || failed=$?
    step "$2"
    cat "$logs/$1"
    return "$failed"
}

# Rust code is checked and tested as it is built for the package, so that the engine is compiled once.
check_rust() {
    cargo fmt --all --check
    cargo clippy --quiet --release --workspace --all-targets -- -D warnings
}

check_python() {
    .venv/bin/ruff format --check .
    .venv/bin/ruff check .
    .venv/bin/lint-imports
    .venv/bin/mypy
    (cd python && ../.venv/bin/python -m mypy.stubtest zeroproof._native zeroproof._ops \
        zeroproof.autodiff.tr_ops_grad --allowlist ../tests/typing/stubtest_allowlist.txt)
}

beside check_rust # while packages are downloaded
step "install"
# Bytecode of packages is made when they are imported, of the few modules that are. With gmpy2 mpmath is faster.
.venv/bin/python -m pip install --quiet --no-compile \
    --editable ".[test,lint,plot,dask,jax,onnx${EXTRAS:+,$EXTRAS}]" optax gmpy2
finish check_rust "Rust: format and lint"

beside check_python # while the Rust tests are compiled
step "Rust tests and docs examples"
cargo test --quiet --release --package zeroproof --package zeroproof-core --package zeroproof-tests
RUSTDOCFLAGS="-D warnings" cargo doc --quiet --package zeroproof --package zeroproof-core --no-deps
finish check_python "Python: format, lint, types and stubs"

step "Python tests and docs examples"
.venv/bin/python -m pytest --numprocesses auto --dist worksteal "$@"
