#!/usr/bin/env bash
# make test: sets up what is missing and runs every suite, all of them even when one fails; the last lines say which failed.
# One suite alone: make test ARGS=rust   (names: format lints rust desktop generated ui widget browser window licences)

# shellcheck source=scripts/common.sh
source "$(dirname "$0")/common.sh"
scripts/setup.sh test
source scripts/common.sh
build_ui

if cargo nextest --version >/dev/null 2>&1; then runner=(cargo nextest run --locked --no-fail-fast); else runner=(cargo test --locked --no-fail-fast); fi

# What the Rust tests write anew: typed bindings and the final schema.
generated=(ui/src/bindings src-tauri/core/src/store/schema.sql)
generated_before=$(fingerprint "${generated[@]}")

suite_format() { cargo fmt --all --check; }
suite_lints() { cargo clippy --quiet --locked --workspace --all-targets -- -D warnings; }
suite_rust() {
  # Without them (no network) tests/peers.rs says so and goes on.
  npm_ci tests/peers "connectors are tested against services that others wrote" || say "the peers could not be installed; their tests are skipped."
  # The crash and flow tests start the real program.
  cargo build --quiet --locked -p shopbell-server
  "${runner[@]}" --workspace --exclude shopbell
}
suite_desktop() { "${runner[@]}" -p shopbell; }
suite_generated() {
  [ "$(fingerprint "${generated[@]}")" = "$generated_before" ] && return
  have git && git --no-pager diff --stat -- "${generated[@]}"
  say "the bindings or schema.sql were not as the code makes them; they have been written anew: commit them."
  return 1
}
suite_ui() { npm --prefix ui run --silent check; }
suite_widget() { npm --prefix ui run --silent test:widget; }
suite_browser() {
  npm_ci tests/ui "the browser tests run with them"
  cargo build --quiet --locked -p shopbell-server
  npm --prefix tests/ui test --silent
}
suite_window() {
  cargo build --quiet --locked -p shopbell
  node tests/window/run.mjs "$target/debug/shopbell"
}
suite_licences() { cargo deny --offline --log-level error check licenses bans sources; }

passed=() failed=() skipped=()

# A suite that hangs must fail by name, not keep everything after it waiting.
longest=${SHOPBELL_LONGEST_SUITE:-2400}
running=
end_running() { [ -z "$running" ] || kill -TERM -- "-$running" 2>/dev/null || true; }
trap 'end_running; exit 130' INT TERM

# run NAME [own]: "own" when the suite's runner prints its closing line itself.
run() {
  local name=$1
  printf '\n== %s\n' "$name"
  local began=$SECONDS status=0 watch
  # A job of its own has a process group of its own, which can be ended as a whole. A plain `if suite` would switch `set -e` off inside it.
  set -m
  (set -e; "suite_$name" </dev/null) &
  running=$!
  (
    sleep "$longest"
    say "$name took longer than $longest s and is stopped."
    kill -TERM -- "-$running" 2>/dev/null
    sleep 10
    kill -KILL -- "-$running" 2>/dev/null
  ) &
  watch=$!
  set +m
  set +e
  wait "$running"
  status=$?
  set -e
  running=
  kill -TERM -- "-$watch" 2>/dev/null || true
  if [ $status = 0 ]; then passed+=("$name"); else failed+=("$name"); fi
  [ "${2:-}" = own ] || { [ $status = 0 ] && echo "$name: 1 passed, 0 failed" || echo "$name: 0 passed, 1 failed"; }
  say "$name took $((SECONDS - began)) s"
}
skip() { skipped+=("$1"); printf '\n== %s\nskipped: %s\n' "$1" "$2"; }

suites=("$@")
[ ${#suites[@]} -gt 0 ] || suites=(format lints rust desktop generated ui widget browser window licences)
for suite in "${suites[@]}"; do
  case $suite in
    rust | desktop | browser | window) run "$suite" own ;;
    licences) if cargo deny --version >/dev/null 2>&1; then run licences; else skip licences "cargo-deny is not installed (cargo install cargo-deny)"; fi ;;
    format | lints | generated | ui | widget) run "$suite" ;;
    *) stop "there is no suite called \"$suite\"." ;;
  esac
done

printf '\nsuites: %d passed, %d failed, %d skipped\n' ${#passed[@]} ${#failed[@]} ${#skipped[@]}
[ ${#failed[@]} = 0 ] || stop "failed: ${failed[*]}"
