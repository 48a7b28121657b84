#!/usr/bin/env bash
# make bench: the figures the outside may count on, as ratios measured in one run.

# shellcheck source=scripts/common.sh
source "$(dirname "$0")/common.sh"
scripts/setup.sh server
source scripts/common.sh
build_ui
say "compiling in release (the first time takes ten minutes or more)"
cargo build --quiet --locked --release -p shopbell-server -p shopbell-tests --bins
exec cargo run --quiet --locked --release -p shopbell-tests --bin bench -- "$@"
