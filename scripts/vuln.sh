#!/usr/bin/env bash
# Runs govulncheck. Its database is on the network: where that cannot be
# reached the check says so and passes, because it could not look.
set -uo pipefail
log=$(mktemp)
trap 'rm -f "$log"' EXIT
go tool -modfile=tools/go.mod govulncheck ./... >"$log" 2>&1
status=$?
cat "$log"
if [ $status -ne 0 ] && grep -qE 'fetching vulnerabilities|vuln\.go\.dev' "$log"; then
  echo "govulncheck: the vulnerability database cannot be reached from here; not checked"
  exit 0
fi
exit $status
