#!/usr/bin/env bash
# npm start: sets up what is missing, then starts everything.
source "$(dirname "${BASH_SOURCE[0]}")/prepare.sh"
[ -n "${REDIS_URL:-}" ] || need_program redis-server redis-server
exec node dist/src/cli.js start
