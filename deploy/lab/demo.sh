#!/usr/bin/env bash
# Runs one trial on the lab and judges it.
# usage: demo.sh TRIAL SLOS EXPECTED [exporter options…]
#   EXPECTED  pass: succeed only on the verdict pass, and where alerts told of every experiment and none was critical
#             data-loss: succeed only when the verdict is fail, and data loss is all that failed
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
trial=$here/$1 slos=$here/$2 expected=$3
shift 3

export ORDEAL_LAB_DIR=${ORDEAL_LAB_DIR:-$PWD/lab-state}
results=${ORDEAL_RUN_DIR:-$PWD/run}
prometheus=http://198.18.79.1:9090

# Before anything is started: the lab's Prometheus scrapes this port, and another exporter may hold it.
holder=$(ss -Hltnp 'sport = :10042')
if [ -n "$holder" ]; then
  printf 'demo: port 10042, where the lab looks for the load exporter, is taken; end its holder:\n%s\n' "$holder" >&2
  exit 1
fi

promises=$(mktemp --suffix=.yml)

# Whatever happens, Ctrl-C included, the lab goes down. The exporter gets the same Ctrl-C and reverts first.
trap 'lab down >/dev/null; rm -f "$promises"' EXIT
trap 'exit 130' INT TERM

# Prometheus evaluates the rules on the exporter and on the very promises that are judged: what alerts and dashboards
# say of them is said of this trial's. Alertmanager gets the alerts.
slo-verifier rules "$slos" >"$promises"
lab_options=(--install --rules "$here"/../../alerts/exporter.yml "$promises")
[ "$expected" = data-loss ] && lab_options+=(--asynchronous)
lab up "${lab_options[@]}"

load-exporter run "$trial" --dir "$results" "$@"

run=$(basename "$(readlink "$results/latest")")

# Reports of every form are kept beside the run's other results; the one for people is printed, too.
status=0
slo-verifier verify "$slos" --prometheus "$prometheus" --run "$run" \
  --report-dir "$results/latest" --run-dir "$results/latest" || status=$?
printf 'exit code %s\n' "$status"

case $expected in
pass)
  [ "$status" -eq 0 ] || exit "$status"
  "$here/expect-told.py" "$results/latest"
  ;;
data-loss) "$here/expect-data-loss.py" "$results/latest" ;;
esac
