#!/usr/bin/env bash
# make run: builds Shopbell and opens it. With no display the same hub starts as shopbell-server, for a browser.

# shellcheck source=scripts/common.sh
source "$(dirname "$0")/common.sh"

if [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ] || [ "$(uname -s)" = Darwin ]; then
  program=shopbell goal=window
else
  program=shopbell-server goal=server
  say "no display here, so Shopbell starts without a window; use it in a browser"
fi

scripts/setup.sh "$goal"
source scripts/common.sh # what was just installed is on the PATH now
build_ui
[ -x "$target/debug/$program" ] || say "compiling $program (the first time takes a few minutes, later a few seconds)"
cargo build --quiet --locked -p "$program"
[ "$program" = shopbell ] || say "starting; open the address that begins with http:// and ends in #login=… below. Ctrl+C stops it."
exec "$target/debug/$program" "$@"
