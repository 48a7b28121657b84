# shellcheck shell=bash disable=SC2034

# Shared by the scripts beside it: where things are, how a line is said, and how the UI is built only when it changed.
# Sourced, not run.

set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
root=$PWD
cache=${XDG_CACHE_HOME:-$HOME/.cache}/shopbell
target=${CARGO_TARGET_DIR:-$root/target}

say() { printf 'shopbell: %s\n' "$*" >&2; }
stop() { say "$@"; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

# Rust and a newer Node live in the home directory; a fresh shell may not have them on its PATH yet.
have cargo || [ ! -x "$HOME/.cargo/bin/cargo" ] || PATH="$HOME/.cargo/bin:$PATH"
node_home=$cache/node
[ ! -x "$node_home/bin/node" ] || [ ! -f "$node_home/.wanted" ] || PATH="$node_home/bin:$PATH"
export PATH

# As many compilers as there are cores, but no more than the memory holds (about 1.5 GB each).
if [ -z "${CARGO_BUILD_JOBS:-}" ] && [ -r /proc/meminfo ]; then
  cores=$(nproc)
  fits=$(awk '/^MemAvailable/ { n = int($2 / 1572864); print (n < 1 ? 1 : n) }' /proc/meminfo)
  export CARGO_BUILD_JOBS=$((cores < fits ? cores : fits))
fi

# One short name for the contents of the given files and folders (installed and built files left out).
fingerprint() {
  find "$@" \( -name node_modules -o -name dist -o -name 'dist-*' -o -name test-results \) -prune -o -type f -print0 2>/dev/null |
    LC_ALL=C sort -z | xargs -0 -r sha256sum | sha256sum | cut -c1-32
}

# quietly COMMAND…: runs it, and shows what it said only when it fails.
quietly() {
  local said
  said=$(mktemp)
  if "$@" >"$said" 2>&1; then rm -f "$said"; else
    cat "$said" >&2
    rm -f "$said"
    return 1
  fi
}

# npm_ci FOLDER WHY: installs what FOLDER's lock file names, once per lock file.
npm_ci() {
  local folder=$1 why=$2 stamp=$1/node_modules/.shopbell-lock now
  now="$(node -p process.versions.modules) $(sha256sum <"$folder/package-lock.json" | cut -c1-32)"
  [ "$(cat "$stamp" 2>/dev/null)" != "$now" ] || return 0
  say "installing the packages of $folder ($why)"
  quietly npm --prefix "$folder" ci --no-audit --no-fund --loglevel=error
  printf '%s\n' "$now" >"$stamp"
}

# ui_build SCRIPT RESULT WHY: runs a build script of ui/ when its sources changed since the last time.
ui_build() {
  local script=$1 result=$2 why=$3 stamp=ui/node_modules/.shopbell-$1 now
  now=$(fingerprint ui)
  [ "$(cat "${stamp//:/-}" 2>/dev/null)" != "$now" ] || [ ! -d "ui/$result" ] || return 0
  say "building ui/$result ($why)"
  quietly npm --prefix ui run --silent "$script"
  printf '%s\n' "$now" >"${stamp//:/-}"
}

has_script() { node -e 'process.exit(require(process.argv[1]).scripts?.[process.argv[2]] ? 0 : 1)' "$root/$1/package.json" "$2"; }

# Everything of ui/ that the Rust packages embed.
build_ui() {
  npm_ci ui "the screens are built with them"
  ui_build build dist "the screens, for the window and for a browser"
  if has_script ui build:widget; then
    ui_build build:widget dist-widget "the chat that a website shows its visitors"
  fi
}
