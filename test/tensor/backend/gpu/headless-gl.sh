#!/usr/bin/env bash
# Runs gpu.js's kernels in Node on OpenGL: the tests in test/tensor/backend/gpu/headless-gl, on a virtual display.
# npm leaves the native module `gl` uncompiled (allowScripts in package.json), so that nobody needs a
# compiler; the first run compiles it, which takes minutes.
set -euo pipefail
cd "$(dirname "$0")/../../../.."

packages=(
  xvfb xauth libgl1-mesa-dri                             # to run
  g++ make python3 libgl1-mesa-dev libxi-dev libxext-dev # to compile
)

loads_gl() { node -e 'require("gl")' 2>/dev/null; }

missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f='${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed ||
    missing+=("$package")
done

# Where packages have other names, what they are for tells whether they are there.
if [ "${#missing[@]}" -gt 0 ] && ! { command -v xvfb-run >/dev/null && loads_gl; }; then
  if ! command -v apt-get >/dev/null || [ "$(id -u)" -ne 0 ]; then
    echo "headless-gl needs Debian's ${missing[*]}, or what they hold." >&2
    echo "Install them: sudo apt-get install ${missing[*]}" >&2
    exit 1
  fi
  apt-get update -q
  DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}"
fi

if ! loads_gl; then
  # With the headers of the Node that runs here, which lie beside it in most installations; a flag
  # would yield to what npm is configured with.
  prefix=$(node -p 'path.resolve(process.execPath, "../..")')
  if [ -e "$prefix/include/node/node.h" ]; then export npm_config_nodedir="$prefix"; fi
  npm explore gl -- node-gyp rebuild --jobs max
fi

exec xvfb-run -a npx vitest run --mode headless-gl "$@"
