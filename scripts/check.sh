#!/usr/bin/env bash
# npm run check: everything that reads the code without running it.
source "$(dirname "${BASH_SOURCE[0]}")/prepare.sh"
npx prettier --check --log-level warn .
npx eslint --cache --cache-location dist/.eslintcache --max-warnings 0 src test tag
npx depcruise --log-level error src
npx jscpd --silent --threshold 0 --min-lines 12 --min-tokens 90 --reporters consoleFull --ignore '**/*.d.ts' src tag
echo 'check: nothing to mend'
