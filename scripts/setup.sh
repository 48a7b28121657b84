#!/usr/bin/env bash
# Sets up what is missing, and nothing else. A second run finds everything and says nothing.
#
#   scripts/setup.sh server   compile shopbell-server and the screens
#   scripts/setup.sh window   the same, and the desktop app
#   scripts/setup.sh test     the same, and everything the tests use
#
# Debian and Ubuntu packages need root: without it the exact command is printed and nothing is touched. Elsewhere what is
# missing is named. Rust goes into the home directory (rustup), a newer Node into ~/.cache/shopbell.

# shellcheck source=scripts/common.sh
source "$(dirname "$0")/common.sh"

goal=${1:-test}
case $goal in server | window | test) ;; *) stop "scripts/setup.sh takes server, window or test, not \"$goal\"." ;; esac

# Major versions: which release of them is published differs from platform to platform.
node_version=24
npm_version=11
rust_version=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)

# --- What the system must have: package, what for ---------------------------------------------------------------------

wanted=()
want() { wanted+=("$1|$2"); }

want build-essential "compiles the database and other C parts"
want ca-certificates "lets downloads be checked"
have npm || want npm "installs the packages the screens are built with"
if [ "$goal" != server ]; then
  want pkg-config "finds the libraries below"
  want libwebkit2gtk-4.1-dev "draws the window"
  want libayatana-appindicator3-dev "puts the bell into the tray"
  want libdbus-1-dev "lets the window talk to the desktop"
fi
if [ "$goal" = test ]; then
  want chromium "opens the screens for the browser tests"
  want xvfb "is the display the window tests run on"
  want webkit2gtk-driver "clicks in the window for the window tests"
  want dbus-x11 "gives the window tests a session bus of their own"
  want gnome-keyring "is the keychain the vault is tested with"
  want libsecret-tools "looks into that keychain from outside"
  want xdg-utils "opens shopbell:// links for the deep-link test"
  want desktop-file-utils "registers shopbell:// for the deep-link test"
  want git "shows which generated files changed"
fi

missing_packages() {
  local entry package
  for entry in "${wanted[@]}"; do
    package=${entry%%|*}
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || printf '%s\n' "$entry"
  done
}

install_packages() {
  local missing names entry
  mapfile -t missing < <(missing_packages)
  [ ${#missing[@]} -gt 0 ] || return 0
  names=("${missing[@]%%|*}")
  for entry in "${missing[@]}"; do say "missing: ${entry%%|*} (${entry#*|})"; done
  if [ "$(id -u)" != 0 ]; then
    say "installing them needs root. Please run this, then try again:"
    printf '\n    sudo apt-get update && sudo apt-get install -y --no-install-recommends %s\n\n' "${names[*]}" >&2
    [ "$goal" != window ] || say "or use Shopbell in a browser, which needs less: DISPLAY= WAYLAND_DISPLAY= make run"
    exit 1
  fi
  say "installing ${#names[@]} system packages with apt-get (this can take a minute or two)"
  local log
  log=$(mktemp)
  if ! { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${names[@]}"; } >"$log" 2>&1 </dev/null; then
    tail -n 20 "$log" >&2
    stop "apt-get could not install them; its whole answer is in $log."
  fi
  rm -f "$log"
}

name_what_is_missing() {
  local lacking=()
  have cc || lacking+=("a C compiler")
  have npm || lacking+=("Node with npm")
  if [ "$goal" != server ] && [ "$(uname -s)" = Linux ]; then
    pkg-config --exists webkit2gtk-4.1 2>/dev/null || lacking+=("the headers of WebKitGTK 4.1")
    pkg-config --exists ayatana-appindicator3-0.1 2>/dev/null || lacking+=("the headers of libayatana-appindicator3")
  fi
  if [ "$goal" = test ]; then
    have chromium || lacking+=("chromium")
    [ "$(uname -s)" != Linux ] || have Xvfb || lacking+=("Xvfb")
    [ "$(uname -s)" != Linux ] || have WebKitWebDriver || lacking+=("WebKitWebDriver")
  fi
  [ ${#lacking[@]} = 0 ] && return 0
  local list
  list=$(printf '%s, ' "${lacking[@]}")
  stop "please install with your system's package tool: ${list%, }. (On Debian and Ubuntu this happens by itself.)"
}

if have dpkg-query && have apt-get; then install_packages; else name_what_is_missing; fi

# --- Rust -------------------------------------------------------------------------------------------------------------

rust_command="curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y --profile minimal -c clippy -c rustfmt"

at_least() { [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]; }

install_rust() {
  if have apt-cache && [ -n "$(apt-cache madison rustup 2>/dev/null)" ] && [ "$(id -u)" = 0 ]; then
    say "installing rustup, the installer of Rust, with apt-get (Shopbell is written in Rust)"
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends rustup >/dev/null </dev/null
    say "installing Rust with rustup (into $HOME/.rustup)"
    rustup --quiet default stable
    return
  fi
  say "Shopbell is written in Rust and needs Rust $rust_version or newer; this system has none, and Debian's own is too old."
  say "It is installed into your home directory, without root, by:"
  printf '\n    %s\n\n' "$rust_command" >&2
  local answer=n
  if [ -t 0 ] && [ -t 2 ] && have curl; then
    read -r -p "shopbell: run this now? [Y/n] " answer
  fi
  case ${answer:-y} in
    [yY]*) bash -c "$rust_command" ;;
    *) stop "please run that line (it needs curl), then try again." ;;
  esac
  PATH="$HOME/.cargo/bin:$PATH"
}

have cargo || install_rust
found=$(rustc --version | cut -d' ' -f2)
if ! at_least "$rust_version" "${found%%-*}"; then
  have rustup || stop "Rust here is $found and Shopbell needs $rust_version or newer. Remove the old one and run: $rust_command"
  say "updating Rust from $found (Shopbell needs $rust_version or newer)"
  rustup --quiet update stable && rustup --quiet default stable
  found=$(rustc --version | cut -d' ' -f2)
  at_least "$rust_version" "${found%%-*}" || stop "Rust is still $found. Is another toolchain chosen for this folder? See: rustup show"
fi
if [ "$goal" = test ] && ! { cargo fmt --version && cargo clippy --version; } >/dev/null 2>&1; then
  have rustup || stop "cargo fmt or cargo clippy is missing: please install rustfmt and clippy for Rust $found."
  say "adding clippy and rustfmt to Rust (the checks use them)"
  rustup --quiet component add clippy rustfmt
fi

# --- Node -------------------------------------------------------------------------------------------------------------

# Vite 8, which builds the screens, runs on Node 20.19 and up, 22.12 and up. Debian 12 has 18.
node_fits() {
  have node && node -e 'const [a, b] = process.versions.node.split(".").map(Number);
    process.exit((a === 20 && b >= 19) || (a === 22 && b >= 12) || a > 22 ? 0 : 1)'
}

install_node() {
  local machine
  case "$(uname -s) $(uname -m)" in
    'Linux x86_64') machine=linux-x64 ;;
    'Linux aarch64') machine=linux-arm64 ;;
    *) stop "Node here is $(node -v), too old to build the screens: please install Node 24." ;;
  esac
  say "installing Node $node_version into $node_home (the system's is $(node -v), too old to build the screens)"
  rm -rf "$node_home"
  mkdir -p "$node_home/bin"
  quietly npm install --prefix "$node_home" --no-save --no-package-lock --ignore-scripts --no-audit --no-fund --loglevel=error \
    "node-$machine@$node_version" "npm@$npm_version"
  ln -s "../node_modules/node-$machine/bin/node" "$node_home/bin/node"
  ln -s ../node_modules/npm/bin/npm-cli.js "$node_home/bin/npm"
  ln -s ../node_modules/npm/bin/npx-cli.js "$node_home/bin/npx"
  printf '%s\n' "$node_version" >"$node_home/.wanted"
  PATH="$node_home/bin:$PATH"
  node_fits || stop "Node in $node_home does not start. Please install Node 24 yourself."
}

node_fits || install_node
