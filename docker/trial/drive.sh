#!/bin/sh
# Drives a call, a ticket and a report through a running stack (profiles core and telephony), and says what came of them.
#   docker/trial/drive.sh https://localhost:8443
# beside docker-compose.yml, on a stack for trying: it makes the demo's people, and a small province if there is none.
# Needs sipp and, as PYTHON, a python3 with httpx and websockets.
set -eu
address=$1
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
inside() { docker compose exec -T "$@"; }
figures() { inside airflow-scheduler crm kpi --kpi contacts,offered,tickets,complaints --json | tr -d '\n '; echo; }
# One run of the quarter-hour's schedule, from now on; what was captured before stands in the marts afterwards.
# Airflow's tables are asked: its command takes ten seconds and more to say the same.
cycle() {
  inside airflow-scheduler airflow dags trigger capture_to_marts --run-id "$1" > /dev/null 2>&1
  state=
  while [ "$state" != success ] && [ "$state" != failed ]; do
    sleep 3
    state=$(inside airflow-scheduler python -c "
import psycopg
address = open('/run/crm-secrets/airflow_database_url').read().replace('+psycopg', '')
with psycopg.connect(address) as store:
    print(*(store.execute('select state from dag_run where run_id = %s', ['$1']).fetchone() or ['none']))")
  done
  echo "run $1 of capture_to_marts: $state"
}
now=$(date +%H%M%S)

inside api crm users demo > /dev/null
inside worker crm simulate --customers "${CUSTOMERS:-2000}" --days 30 --seed 1 > "$work/simulated" 2>&1 && echo "a small province was simulated" || tail -1 "$work/simulated"
echo "phone: $(inside api crm telephony phone agent)"
docker compose run --rm -T asterisk-configuration 2>/dev/null | tail -1
inside asterisk asterisk -C /etc/crm-asterisk/asterisk.conf -rx "core reload" > /dev/null
figures > /dev/null 2>&1 || cycle "before-$now"
echo "before: $(figures)"

${PYTHON:-python3} "$here/try.py" "$address"

# One caller from the trunk's side, through IVR and queue, hanging up after eight seconds.
printf 'SEQUENTIAL\n13800000001;8000\n' > "$work/callers.csv"
(cd "$work" && sipp "${PBX_HOST:-127.0.0.1}:5060" -sf "$here/../../telephony/sipp/caller.xml" -inf callers.csv -s "${PBX_SERVICE:-96766}" \
  -i "${SIPP_HOST:-127.0.0.1}" -p 5071 -m 1 -nostdin > sipp.log 2>&1) && echo "call: taken and ended" || { echo "call: failed"; tail -20 "$work/sipp.log"; }

cycle "after-$now"
echo "after: $(figures)"

# A subscription was made by try.py; its report goes to the mail catcher once, however often it is asked for.
for round in first second; do echo "report, $round round: $(inside airflow-scheduler crm report daily --send | tail -1)"; done
inside smtp-catcher python -c "
import mailbox
from email.header import decode_header, make_header
for mail in mailbox.Maildir('/tmp/mail'):
    print('mail:', mail['To'], '|', make_header(decode_header(mail['Subject'])), '|', [part.get_content_type() for part in mail.walk()])"
