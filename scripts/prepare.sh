#!/usr/bin/env bash
# What every command needs before it can run: the packages that package-lock.json names, and the compiled program.
# Sourced by the others; does nothing where all is as it should be.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

major=$(node -p 'process.versions.node.split(".")[0]' 2>/dev/null || echo 0)
if [ "$major" -lt 20 ]; then
  echo 'tagswitch needs Node 20 or later' >&2
  exit 1
fi

# Installs Debian packages where that is allowed without a question; says what to run where it is not.
# usage: need_program PROGRAM PACKAGE ...
need_program() {
  local missing=()
  while [ $# -gt 0 ]; do
    command -v "$1" >/dev/null 2>&1 || missing+=("$2")
    shift 2
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "installing ${missing[*]}" >&2
    export DEBIAN_FRONTEND=noninteractive
    # A package's own service is not wanted: the programs are run by us, on sockets of our own.
    local policy=/usr/sbin/policy-rc.d made=
    if [ ! -e "$policy" ]; then
      printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod +x "$policy" && made=1
    fi
    { apt-get update -qq && apt-get install -y -qq --no-install-recommends "${missing[@]}"; } >/dev/null 2>&1 || true
    [ -z "$made" ] || rm -f "$policy"
    local still=()
    for package in "${missing[@]}"; do dpkg -s "$package" >/dev/null 2>&1 || still+=("$package"); done
    [ ${#still[@]} -gt 0 ] || return 0
    missing=("${still[@]}")
  fi
  echo "missing: run  sudo apt-get install ${missing[*]}" >&2
  exit 1
}

if [ ! -e node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
  echo 'installing packages' >&2
  npm ci --no-audit --no-fund --loglevel=error >&2
  touch node_modules/.package-lock.json
fi

built=dist/.built
if [ ! -e "$built" ] || [ -n "$(find src test tag scripts tsconfig.json package.json -newer "$built" -print -quit)" ]; then
  echo 'building' >&2
  npm run --silent build >&2
  touch "$built"
fi
