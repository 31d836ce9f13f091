#!/usr/bin/env bash
# npm test: sets up what tests need, then runs them. `all` runs the long suites as well.
source "$(dirname "${BASH_SOURCE[0]}")/prepare.sh"
if [ "${1:-fast}" = all ]; then need_program firefox-esr firefox-esr; fi
need_program redis-server redis-server sipp sip-tester chromium chromium xmllint libxml2-utils \
  docker-compose docker-compose nft nftables ip iproute2

# The first run after an install would build tap without the plugins that .taprc leaves out, but still load them into every test:
# that takes longer, and one of them cannot load what drives Firefox.
if [ ! .tap/plugins -nt node_modules/.package-lock.json ]; then
  npx tap build >/dev/null
  mkdir -p .tap/plugins
  touch .tap/plugins
fi

files=(dist/test/*/*.test.js)
if [ "${1:-fast}" = all ]; then files+=(dist/test/*/*.long.js); fi
result=$(mktemp)
trap 'rm -f "$result"' EXIT
status=0
npx tap run --reporter=silent --output-file="$result" "${files[@]}" || status=$?
node scripts/tally.mjs "$result" || status=1
if [ "${1:-fast}" = all ]; then npm run --silent bench -- --quick >/dev/null || { echo 'the bench failed'; status=1; }; fi
exit "$status"
