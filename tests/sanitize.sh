#!/usr/bin/env bash
# AddressSanitizer, with debug assertions and overflow checks, over the engine (random programs, native code beside
# guard pages, threads) and over the extension module (threads, code that comes back, calls without Python, files and
# arguments that are bad). Needs Linux, a Rust toolchain from rustup, whose stable compiler brings the runtime, GCC,
# whose libasan the interpreter loads, and the .venv that tests/run.sh makes. PYTHON names another interpreter with the
# same packages. Builds take about eleven minutes of one CPU, the tests seven.
#
# Valgrind finds nothing more. Where the compiler compares the number in an Option before it looks whether there is one,
# valgrind says that a jump depends on an uninitialised value; both ways lead to the same there.
set -euo pipefail
cd "$(dirname "$0")/.."

python="${PYTHON:-$PWD/.venv/bin/python}"
target="$(rustc -vV | sed -n 's/^host: //p')"
out="$PWD/target/sanitize"

# Sanitizers are an unstable option of a compiler that has them: this lets the stable one take it.
export RUSTC_BOOTSTRAP=1
export RUSTFLAGS="-Zsanitizer=address -Copt-level=1 -Cdebug-assertions -Coverflow-checks"
export CARGO_TARGET_DIR="$out"
export PYO3_PYTHON="$python"
# Limits of time are so many times as long.
export SLOWDOWN=10
# Python keeps what it allocated until it ends.
export ASAN_OPTIONS="detect_leaks=0:abort_on_error=0:allocator_may_return_null=1"

step() { printf '\n== %s\n' "$1"; }

step "random programs"
export BATCH_CASES="${BATCH_CASES:-400}" NATIVE_PROGRAMS="${NATIVE_PROGRAMS:-4000}"
cargo test --quiet --package zeroproof-tests --target "$target" --test batch_programs

step "native code, threads, parts of batches"
cargo test --quiet --package zeroproof-tests --target "$target" \
    --test native --test native_guard_pages --test native_switch --test threads --test batch_partials

step "extension module"
cargo build --quiet --package zeroproof-python --target "$target"
nm --dynamic "$out/$target/debug/lib_native.so" | grep __asan_report_store >/dev/null
rm -rf "$out/python"
mkdir -p "$out/python"
cp -r python/zeroproof "$out/python/"
rm -f "$out"/python/zeroproof/_native*.so
suffix="$("$python" -c 'import sysconfig; print(sysconfig.get_config_var("EXT_SUFFIX"))')"
cp "$out/$target/debug/lib_native.so" "$out/python/zeroproof/_native$suffix"

# C++ libraries that Python loads throw through what the sanitizer finds when it begins.
preload="$(gcc -print-file-name=libasan.so) $(gcc -print-file-name=libstdc++.so)"

run() {
    # What Python allocates has red zones too.
    PYTHONMALLOC=malloc PYTHONPATH="$out/python" LD_PRELOAD="$preload" "$python" -X faulthandler "$@"
}
run -c 'import zeroproof; print(zeroproof._native.__file__)' | grep -q "^$out/python/"

step "threads"
run -m pytest tests/unit/threads tests/unit/nodes/test_threads.py tests/unit/batches/test_tr_vmap_threads.py

step "code that comes back"
run -m pytest tests/unit/project/test_reentrancy.py tests/unit/project/test_public_entries.py -k "not memory"

step "nodes, calls without Python"
# A limit of memory leaves no room for the sanitizer's own.
run -m pytest tests/unit/nodes --ignore tests/unit/nodes/test_threads.py \
    --ignore tests/unit/nodes/test_out_of_memory.py tests/unit/batches/test_prepared_calls.py \
    tests/unit/batches/test_odd_calls.py tests/unit/batches/test_native.py tests/unit/batches/test_partial.py

step "bad input"
run -m pytest tests/unit/batches/test_argument_errors.py tests/unit/batches/test_tr_vmap_errors.py \
    tests/unit/programs/test_damaged_files.py tests/unit/models/test_damaged_models.py \
    tests/unit/project/test_fuzzing.py tests/property/test_portable_programs.py -k "not compiled"
