#!/bin/sh
# Secrets lie in files: CRM_X_FILE becomes CRM_X where the program knows no file of its own.
set -eu
umask 027
for name in CRM_MANAGER_SECRET CRM_RECORDING_KEY; do
  eval "file=\${${name}_FILE:-}"
  if [ -n "$file" ] && [ -r "$file" ]; then
    value=$(cat "$file")
    export "$name=$value"
  fi
done
exec "$@"
