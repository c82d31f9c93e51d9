#!/usr/bin/env bash
# The demo on the cluster that KUBECONFIG names: a shop, one run of its trial, a verdict.
# usage: demo.sh up [exporter options…]    succeeds only on the verdict pass
#        demo.sh down                      takes away all that `up` made
#        ends with the exit code of run.sh, or with 2 where there was no run
set -Eeuo pipefail
trap 'exit 2' ERR
trap 'exit 130' INT TERM
here=$(cd "$(dirname "$0")" && pwd)

fail() {
  printf 'demo: %s\n' "$*" >&2
  exit 2
}

for argument in "$@"; do
  case $argument in -h | --help)
    sed -n '2,/^set /{/^#/s/^# \{0,1\}//p;}' "$0"
    exit 0
    ;;
  esac
done
[ -n "${KUBECONFIG:-}" ] || fail 'KUBECONFIG names no cluster, so nothing is done: set it to the kubeconfig of a test cluster'
command -v kubectl >/dev/null || fail 'kubectl is not installed'

up() {
  local workload
  kubectl apply -k "$here/demo"
  for workload in statefulset/postgres statefulset/redis deployment/redis-proxy deployment/shop deployment/gateway; do
    kubectl -n shop rollout status "$workload" --timeout 300s || {
      kubectl -n shop get pods -o wide >&2
      fail "$workload of the shop is not ready (are the images on the nodes?)"
    }
  done
  exec "$here/run.sh" "$here/demo/run" "$@"
}

down() {
  # The run first: before the conductor goes, it puts back what it broke in the shop.
  "$here/run.sh" down "$here/demo/run-fleet"
  kubectl delete -k "$here/demo" --ignore-not-found
}

case ${1:-} in
up) up "${@:2}" ;;
down) down ;;
*) fail 'usage: demo.sh up [exporter options…] | down' ;;
esac
