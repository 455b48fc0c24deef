#!/bin/sh
# What the official image's entrypoint does of that which docker-compose.yml asks for.
set -eu
as="setpriv --reuid=postgres --regid=postgres --clear-groups"
mkdir -p "$PGDATA"
chown postgres:postgres "$PGDATA"
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  install -o postgres -m 400 "$POSTGRES_PASSWORD_FILE" /tmp/password
  $as initdb -D "$PGDATA" -U "$POSTGRES_USER" --pwfile=/tmp/password --auth-host=scram-sha-256 --auth-local=trust -E UTF8 --locale=C.UTF-8
  rm /tmp/password
  echo 'host all all all scram-sha-256' >> "$PGDATA/pg_hba.conf"
  $as pg_ctl -D "$PGDATA" -w -o "-c listen_addresses='' -k /tmp" start
  $as createdb -h /tmp -U "$POSTGRES_USER" "$POSTGRES_DB"
  for file in /docker-entrypoint-initdb.d/*.sql; do $as psql -h /tmp -U "$POSTGRES_USER" -d "$POSTGRES_DB" -v ON_ERROR_STOP=1 -f "$file"; done
  $as pg_ctl -D "$PGDATA" -m fast stop
fi
exec $as "$@" -c listen_addresses='*' -k /tmp
