#!/usr/bin/env bash
# make check: format, lints, types. Quick enough to run before every commit.

# shellcheck source=scripts/common.sh
source "$(dirname "$0")/common.sh"
scripts/setup.sh test
source scripts/common.sh
build_ui

cargo fmt --all --check
cargo clippy --quiet --locked --workspace --all-targets -- -D warnings
(cd ui && node_modules/.bin/tsc --noEmit && node_modules/.bin/biome check .)
say "format, lints and types are in order"
