#!/usr/bin/env bash
# npm run check: everything that reads the code without running it.
source "$(dirname "${BASH_SOURCE[0]}")/prepare.sh"
npx prettier --check --log-level warn .
npx eslint --cache --cache-location dist/.eslintcache --max-warnings 0 src test tag
npx depcruise src
npx jscpd --threshold 0 --min-lines 12 --min-tokens 90 --reporters consoleFull --format typescript src tag scripts
echo 'check: nothing to mend'
