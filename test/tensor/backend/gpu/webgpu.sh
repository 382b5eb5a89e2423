#!/usr/bin/env bash
# Runs the gpu backend in Node on WebGPU: the tests in test/tensor/backend/gpu/webgpu, without a display. WebGPU comes
# from npm's `webgpu`, a native module of 130 MB, fetched into node_modules/.cache by the first run:
# the version that gpu.js brings along needs a newer C++ library than Debian 12 has. Where there is no
# GPU, the software driver that comes with Debian's Chromium computes.
set -euo pipefail
cd "$(dirname "$0")/../../../.."

version=0.6.2
cache="$PWD/node_modules/.cache/webgpu-$version"
if [ ! -e "$cache/node_modules/webgpu/index.js" ]; then
  npm install --prefix "$cache" --no-save --no-audit --no-fund --ignore-scripts "webgpu@$version"
fi

software=/usr/lib/chromium/vk_swiftshader_icd.json
if ! compgen -G '/dev/nvidia[0-9]*' >/dev/null && ! compgen -G '/dev/dri/render*' >/dev/null; then
  if [ ! -e "$software" ]; then
    echo "There is neither a GPU nor a software driver; install it: apt-get install chromium" >&2
    exit 1
  fi
  export VK_ICD_FILENAMES="$software"
  # Chromium's folder also holds libvulkan.so.1.
  export LD_LIBRARY_PATH="/usr/lib/chromium${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
fi

export FIRELIGHT_WEBGPU="file://$cache/node_modules/webgpu/index.js"
exec npx vitest run --mode webgpu "$@"
