#!/bin/sh
# Drives a call, a ticket and a report through a running stack (profiles core and telephony), and says what came of them.
#   docker/trial/drive.sh https://localhost:8443 USER PASSWORD      beside docker-compose.yml; needs sipp and python3 with httpx
set -eu
address=$1 user=$2 password=$3
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
inside() { docker compose exec -T "$@"; }
contacts() { inside airflow-scheduler crm kpi --kpi contacts,offered,tickets --json | tr -d '\n '; echo; }

echo "before: $(contacts 2>/dev/null || echo 'nothing published yet')"
${PYTHON:-python3} "$here/try.py" "$address" "$user" "$password"

# One caller from the trunk's side, through IVR and queue, hanging up after eight seconds.
printf 'SEQUENTIAL\n13800000001;8000\n' > "$work/callers.csv"
(cd "$work" && sipp "${PBX_HOST:-127.0.0.1}:5060" -sf "$here/../../telephony/sipp/caller.xml" -inf callers.csv -s "${PBX_SERVICE:-96766}" \
  -i "${SIPP_HOST:-127.0.0.1}" -p 5071 -m 1 -nostdin > sipp.log 2>&1) && echo "call: taken and ended" || { echo "call: failed"; tail -20 "$work/sipp.log"; }

inside airflow-scheduler crm pipeline
echo "after: $(contacts)"

# A subscription was made by try.py; its report goes to the mail catcher once, however often it is asked for.
for round in first second; do echo "report, $round round: $(inside airflow-scheduler crm report daily --send | tail -1)"; done
inside smtp-catcher python -c "
import mailbox
for mail in mailbox.Maildir('/tmp/mail'):
    print('mail:', mail['To'], '|', mail['Subject'], '|', [part.get_content_type() for part in mail.walk()])"
