#!/usr/bin/env bash
# One run on the cluster that KUBECONFIG names, from kustomize's FOLDER to its verdict.
# usage: run.sh FOLDER [exporter options…]
#        ends with the verifier's exit code: 0 pass, 1 fail, 3 inconclusive, 4 no Prometheus
set -euo pipefail
folder=${1:?usage: run.sh FOLDER [exporter options…]}
shift
options=()
for option in "$@"; do options+=(-e "/- \/etc\/ordeal\/trial.yaml/a\\        - \"$option\""); done
namespace=ordeal
ready_limit=300s

fail() {
  printf 'run: %s\n' "$*" >&2
  exit 2
}

[ -n "${KUBECONFIG:-}" ] || fail 'KUBECONFIG names no cluster, so nothing is run: set it to the kubeconfig of a test cluster'
command -v kubectl >/dev/null || fail 'kubectl is not installed'
answer=$(kubectl version 2>&1) || fail "the cluster of $KUBECONFIG does not answer: $(tail -1 <<<"$answer")"

# Why pods do not come up, for who would otherwise have to look.
troubles() {
  kubectl -n "$namespace" get pods -o wide >&2
  kubectl -n "$namespace" get events --field-selector type=Warning --sort-by .lastTimestamp | tail -5 >&2
}

# Jobs cannot be changed, and a run's name serves once.
begin() {
  kubectl -n "$namespace" delete job conductor load verifier --ignore-not-found 2>/dev/null
  kubectl kustomize "$folder" | sed -e "s,ordeal/run: first,ordeal/run: $run," "${options[@]}" | kubectl apply -f -
  kubectl -n "$namespace" wait pod -l "ordeal/run=$run,app.kubernetes.io/name=load-exporter" \
    --for=jsonpath='{.status.phase}'=Running --timeout "$ready_limit" || {
    troubles
    fail 'the conductor does not start (is its image on the nodes?)'
  }
}

# The exit code of the run's verifier, once it has ended.
verdict() {
  local code
  while true; do
    # After 4, no answer from Prometheus, the Job tries again in another pod.
    for code in $(kubectl -n "$namespace" get pods -l "ordeal/run=$run,app.kubernetes.io/name=slo-verifier" \
      -o jsonpath='{.items[*].status.containerStatuses[*].state.terminated.exitCode}'); do
      [ "$code" = 4 ] || { printf '%s' "$code" && return; }
    done
    if kubectl -n "$namespace" get job verifier -o jsonpath='{.status.conditions[*].type}' | grep -q Failed; then
      printf 4
      return
    fi
    sleep 2
  done
}

run=$(date +%Y%m%d-%H%M%S)
begin
# A connection that breaks ends the log, not the run.
kubectl -n "$namespace" logs --follow job/conductor || true
status=$(verdict)
kubectl -n "$namespace" logs -l "ordeal/run=$run,app.kubernetes.io/name=slo-verifier" --tail=-1
printf 'exit code %s\n' "$status"
exit "$status"
