#!/usr/bin/env bash
# Installs from Debian what the tests need and this machine does not have.
# Usage: test-deps.sh postgresql|pgbouncer|gcc ...
set -euo pipefail

install() {
  echo "installing $* from Debian"
  local sudo=()
  [ "$(id -u)" -eq 0 ] || sudo=(sudo)
  "${sudo[@]}" apt-get update -qq
  DEBIAN_FRONTEND=noninteractive "${sudo[@]}" apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

have_postgresql() {
  command -v initdb >/dev/null || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null
}

for need in "$@"; do
  case $need in
    postgresql)
      have_postgresql && continue
      # The tests start clusters of their own; Debian's need not run.
      install postgresql-common
      sed -ri 's/^#?create_main_cluster.*/create_main_cluster = false/' /etc/postgresql-common/createcluster.conf 2>/dev/null || true
      install postgresql
      ;;
    pgbouncer)
      command -v pgbouncer >/dev/null || [ -x /usr/sbin/pgbouncer ] || install pgbouncer
      ;;
    gcc)
      command -v gcc >/dev/null || install gcc libc6-dev
      ;;
    *)
      echo "test-deps.sh: unknown need '$need' (postgresql, pgbouncer, gcc)" >&2
      exit 2
      ;;
  esac
done
