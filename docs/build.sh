#!/usr/bin/env bash
# Builds the site into target/site; a warning, such as a broken link, is an error.
# Needs the package and its extra `site`: pip install '.[site]'
set -euo pipefail
cd "$(dirname "$0")/.."

# Not with --quiet, which would hide warnings from --strict as well.
NO_MKDOCS_2_WARNING=1 "${PYTHON:-python3}" -m mkdocs build --strict "$@"
