#!/usr/bin/env bash
# Draws every icon file anew from bell.svg and tray/*.svg. Needed only after one of them changed.
# Uses rsvg-convert (Debian: librsvg2-bin) and Tauri's command line (npm: @tauri-apps/cli).
set -euo pipefail
cd "$(dirname "$0")"
drawn=$(mktemp -d)
trap 'rm -rf "$drawn"' EXIT

rsvg-convert -w 1024 -h 1024 bell.svg -o "$drawn/bell.png"
npx --yes @tauri-apps/cli@2 icon "$drawn/bell.png" -o "$drawn/out" >/dev/null
for file in 32x32.png 64x64.png 128x128.png 128x128@2x.png icon.png icon.ico icon.icns; do cp "$drawn/out/$file" .; done
for state in receiving starting stopped; do rsvg-convert -w 64 -h 64 "tray/$state.svg" -o "tray/$state.png"; done
