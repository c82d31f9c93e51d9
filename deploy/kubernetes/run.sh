#!/usr/bin/env bash
# One run on the cluster that KUBECONFIG names, from kustomize's FOLDER to its verdict.
# usage: run.sh FOLDER [exporter options…]
#            ends with the verifier's exit code: 0 pass, 1 fail, 3 inconclusive, 4 no Prometheus; and with 2 where
#            there is no verdict because something is amiss
#            ^C ends the script with 130; the run goes on in the cluster, and `kubectl -n ordeal logs job/verifier` will
#            have its verdict
#        run.sh down FOLDER
#            takes away all of FOLDER, after the conductor has put back what it broke; where something may still be
#            broken, as after a conductor that was killed, it ends with 2 and takes away nothing but the Jobs
set -Eeuo pipefail
# Of the script itself nothing ends with 1: that is a verdict.
trap 'exit 2' ERR
# In a command substitution `exit` ends only that.
trap 'exit 2' USR1
namespace=ordeal
ready_limit=300
# A conductor that is told to stop has 180 s to put back what it broke.
ending_limit=200s
# How long after the conductor's end a verdict may take, in seconds, of a run that Prometheus does not know and of one
# that it knows: the verifier takes a conductor for gone after a minute without a sample.
unknown_limit=20
known_limit=150
# How long after its pod's end the Job `conductor` may take to be over, in seconds.
settle_limit=30
# What a script that is interrupted leaves.
left='interrupted before a run began'

fail() {
  printf 'run: %s\n' "$*" >&2
  [ "$BASH_SUBSHELL" -eq 0 ] || kill -USR1 $$
  exit 2
}

interrupted() {
  trap '' INT TERM
  # The kubectl that follows the log would outlive the script.
  kill $(jobs -pr) 2>/dev/null || true
  printf 'run: %s\n' "$left" >&2
  exit 130
}
trap interrupted INT TERM

# Asks the cluster, which a run outlives being away for a while; kubectl says why it fails. That something is not there
# is an answer.
ask() {
  local try told
  # A kubectl that ends in order at a ^C would not end a subshell that waits for it.
  [ "$BASH_SUBSHELL" -eq 0 ] || trap 'exit 130' INT TERM
  for try in {1..30}; do
    { told=$(kubectl -n "$namespace" "$@" 2>&1 >&3) && return; } 3>&1
    case $told in
    *'(NotFound): jobs.'*' not found'*) fail "the run's Jobs were taken away, as \`run.sh down\` does: there is no verdict" ;;
    *'(NotFound): '*' not found'*) fail "$told" ;;
    esac
    printf '%s\n' "$told" >&2
    sleep 2
  done
  fail "kubectl has failed $try times; if a run goes on, it goes on without this script"
}

# Ends Jobs and waits for the end of their pods: with any other cascade, kubectl returns while the conductor still
# needs its rights to put things back.
end_jobs() {
  kubectl -n "$namespace" delete job "$@" --ignore-not-found --cascade=foreground --timeout "$ending_limit" ||
    fail "not ended within $ending_limit: $*; nothing else was taken away: try again, and where the conductor was killed, \`load-exporter recover --namespace NAMESPACE\` puts back what it broke"
}

# The conditions that a Job is in.
true_conditions='jsonpath={.status.conditions[?(@.status=="True")].type}'
conditions() {
  ask get job "$1" -o "$true_conditions"
}

is_over() {
  [[ " $1 " == *" Complete "* || " $1 " == *" Failed "* ]]
}

# Why pods do not come up, for who would otherwise have to look.
troubles() {
  kubectl -n "$namespace" get pods -o wide >&2 || true
  kubectl -n "$namespace" get events --field-selector type=Warning --sort-by .lastTimestamp | tail -5 >&2 || true
}

# Two at once would break the same service, and the second would take the Jobs of the first away.
refuse_a_second() {
  local there
  there=$(kubectl -n "$namespace" get job conductor --ignore-not-found -o name)
  [ -n "$there" ] || return 0
  there=$(conditions conductor)
  is_over "$there" || fail "a run goes on, or its Job does not get on; follow it with \`kubectl -n $namespace logs -f job/conductor\`, end it with \`kubectl -n $namespace delete job conductor load verifier --ignore-not-found --cascade=foreground\`"
}

# Sorts the options, one a line: all are the conductor's, and load pods take those that change the trial.
sort_options() {
  local option value=
  conductor_options= load_options=
  for option in "$@"; do
    conductor_options+=$option$'\n'
    case $option in
    --users | --duration | --seed) load_options+=$option$'\n' value=yes ;;
    --users=* | --duration=* | --seed=*) load_options+=$option$'\n' value= ;;
    *) [ -z "$value" ] || load_options+=$option$'\n' value= ;;
    esac
  done
}

# Of the manifests, the Jobs or all the others; with the run's name and the options.
part() {
  RUN=$run CONDUCTOR=$conductor_options LOAD=$load_options awk -v wanted="$1" '
    function flush() {
      if (text != "" && (kind == "Job") == (wanted == "jobs")) printf "---\n%s", text
      text = kind = name = ""
    }
    function add(options, indent,    list, count, i) {
      count = split(options, list, "\n")
      for (i = 1; i < count; i++) {
        gsub(/\047/, "\047\047", list[i])
        text = text indent "- \047" list[i] "\047\n"
      }
    }
    /^---$/ { flush(); next }
    /^[^ ]/ { section = $1 }
    /^kind: / { kind = $2 }
    section == "metadata:" && /^  name: / { name = $2 }
    { sub(/ordeal\/run: first$/, "ordeal/run: " ENVIRON["RUN"]); text = text $0 "\n" }
    kind == "Job" && /^ *- \/etc\/ordeal\/trial\.yaml$/ {
      match($0, /^ */)
      indent = substr($0, 1, RLENGTH)
      if (name == "conductor") { add(ENVIRON["CONDUCTOR"], indent); given = 1 }
      if (name == "load") add(ENVIRON["LOAD"], indent)
    }
    END {
      flush()
      if (ENVIRON["CONDUCTOR"] != "" && !given) {
        print "run: the Job conductor has no argument /etc/ordeal/trial.yaml to put options after" >"/dev/stderr"
        exit 2
      }
    }' <<<"$manifests"
}

# Without a run, `kubectl kustomize` may yet have manifests: those of the service, or its own help.
refuse_without_run() {
  local meant=
  awk '
    /^---$/ { kind = name = "" }
    /^[^ ]/ { section = $1 }
    /^kind: / { kind = $2 }
    section == "metadata:" && /^  name: / { name = $2 }
    kind == "Job" && name == "conductor" { found = 1 }
    END { exit !found }' <<<"$manifests" && return
  [ ! -d "${1%/}/run" ] || meant="; is ${1%/}/run meant?"
  fail "$1 has no run (no Job conductor), so nothing is done$meant"
}

# Waits until the conductor's pod runs or has ended: there may be none at first, and one that is refused ends at once.
await_conductor() {
  local phase deadline=$((SECONDS + ready_limit))
  while true; do
    phase=$(ask get pods -l "$pods_of=conductor" -o 'jsonpath={.items[*].status.phase}')
    case $phase in Running | Succeeded | Failed) return ;; esac
    # Somebody may have taken it away.
    conditions conductor >/dev/null
    if [ "$SECONDS" -ge "$deadline" ]; then
      troubles
      end_jobs conductor load verifier
      fail "the conductor does not start within $ready_limit s (is its image on the nodes?)"
    fi
    sleep 1
  done
}

begin() {
  local jobs others amiss="not all of $1 could be made, so there is no verdict; before its access.yaml is written anew, \`$0 down $1\` takes all of it away again, its rights, too"
  jobs=$(part jobs)
  others=$(part others)
  refuse_a_second
  # Jobs cannot be changed, and a run's name serves once.
  end_jobs conductor load verifier
  kubectl apply -f - <<<"$others" || fail "$amiss"
  if [ -n "$(kubectl -n "$namespace" get deployment prometheus --ignore-not-found -o name)" ]; then
    kubectl -n "$namespace" rollout status deployment/prometheus --timeout "${ready_limit}s" || {
      troubles
      fail 'Prometheus does not start (is its image on the nodes?)'
    }
  fi
  left="interrupted, without a verdict: the run goes on in the cluster; follow it with \`kubectl -n $namespace logs -f job/conductor\`; its verdict will be in \`kubectl -n $namespace logs job/verifier\`; \`$0 down $1\` ends it and puts back what it broke"
  kubectl apply -f - <<<"$jobs" || fail "$amiss"
  await_conductor
}

# Sets `status` to the verdict's exit code, once there is one, `judge` to the verifier's pod that came to it, and
# `running` to the one that has not yet.
look_for_verdict() {
  local state pods pod phase code
  # Asked before the pods: a Job that is over has had its last one.
  state=$(conditions verifier)
  pods=$(ask get pods -l "$pods_of=verifier" -o 'jsonpath={range .items[*]}{.metadata.name} {.status.phase} {.status.containerStatuses[*].state.terminated.exitCode}{"\n"}{end}')
  running= status= last=
  while read -r pod phase code; do
    case $phase:$code in
    *:[0-3]) judge=$pod status=$code && return ;;
    # After 4, no answer from Prometheus, and where a pod is killed, the Job tries again in another one.
    *:?*) judge=$pod last=$code ;;
    Running:) running=$pod ;;
    esac
  done <<<"$pods"
  is_over "$state" || return 0
  [ "$last" = 4 ] || fail "the verifier comes to no verdict: its last exit code is ${last:-unknown}"
  status=$last
}

# Gives up where the conductor has ended and the verifier would wait on for a run that it does not see.
look_for_end() {
  local log state limit=$unknown_limit
  # While no verifier looks, no time counts.
  if [ -z "$running" ] || [ -z "$ended" ]; then
    ended=
    [ -n "$running" ] || return 0
    state=$(conditions conductor)
    if is_over "$state"; then ended=$SECONDS; fi
    return
  fi
  log=$(ask logs "$running" --tail=-1)
  [[ $log != *"run $run goes on"* ]] || limit=$known_limit
  [ $((SECONDS - ended)) -ge "$limit" ] || return 0
  printf '%s\n' "$log" >&2
  end_jobs load verifier
  fail 'there is no verdict: the conductor has ended, and Prometheus does not have its run; its log above says why it did not begin, or that nobody scraped it'
}

await_verdict() {
  ended=
  while true; do
    look_for_verdict
    [ -z "$status" ] || return 0
    look_for_end
    sleep 2
  done
}

up() {
  run=$(date +%Y%m%d-%H%M%S)
  pods_of="ordeal/run=$run,batch.kubernetes.io/job-name"
  sort_options "${@:2}"
  manifests=$(kubectl kustomize "$1")
  refuse_without_run "$1"
  begin "$1"
  # A connection that breaks ends the log, not the run. Bash answers signals while it waits, not while kubectl runs.
  kubectl -n "$namespace" logs --follow job/conductor &
  wait $! || true
  await_verdict
  ask logs "$judge" --tail=-1
  printf 'exit code %s\n' "$status"
  # The verdict stands.
  trap 'exit "$status"' INT TERM
  settle
  exit "$status"
}

# A Job is over some seconds after its pods, and until then another run would be refused.
settle() {
  local state deadline=$((SECONDS + settle_limit))
  while [ "$SECONDS" -lt "$deadline" ]; do
    state=$(kubectl -n "$namespace" get job conductor -o "$true_conditions" 2>/dev/null) || return 0
    if is_over "$state"; then return; fi
    sleep 1
  done
}

# What may still be broken in a namespace, one a line, as the journal that its conductor keeps there says beside the
# text itself; nothing where there is no journal.
unfinished() {
  local told
  told=$(ask -n "$1" get configmap ordeal-journal --ignore-not-found -o 'go-template={{with .data}}{{with .unfinished}}{{.}}{{else}}?{{end}}{{else}}?{{end}}')
  case $told in
  none) ;;
  '?') echo "its journal, of another version, does not say what; where \`recover\` finds nothing, \`kubectl delete configmap ordeal-journal -n $1\`" ;;
  *) printf '%s\n' "$told" ;;
  esac
}

# With the manifests go the conductor's rights, and with a namespace the journal: not before all is put back.
refuse_what_is_broken() {
  local places place told names
  places=$(awk '/^[^ ]/ { section = $1 } section == "metadata:" && /^  namespace: / { print $2 }' <<<"$manifests" | sort -u)
  for place in $places; do
    told=$(unfinished "$place")
    [ -n "$told" ] || continue
    names=$(paste -sd, - <<<"$told" | tr -cd '[:print:]')
    fail "something may still be broken in namespace $place ($names), so nothing but the Jobs was taken away: \`load-exporter recover --namespace $place\` puts it back, or says what does; then try again"
  done
}

down() {
  left='interrupted: something may be left; the same once more takes it away'
  manifests=$(kubectl kustomize "$1")
  refuse_without_run "$1"
  end_jobs conductor load verifier
  refuse_what_is_broken
  kubectl delete --ignore-not-found -f - <<<"$manifests"
}

usage='usage: run.sh FOLDER [exporter options…] | down FOLDER'
for argument in "$@"; do
  case $argument in -h | --help)
    sed -n '2,/^set /{/^#/s/^# \{0,1\}//p;}' "$0"
    exit 0
    ;;
  esac
done
[ $# -gt 0 ] || fail "$usage"
[ "$1" != down ] || [ $# -eq 2 ] || fail "$usage"
folder=$1
[ "$1" != down ] || folder=$2
[[ $folder != -* ]] || fail "unknown option $folder; $usage"
[ -n "${KUBECONFIG:-}" ] || fail 'KUBECONFIG names no cluster, so nothing is done: set it to the kubeconfig of a test cluster'
command -v kubectl >/dev/null || fail 'kubectl is not installed'
answer=$(kubectl version 2>&1) || fail "the cluster of $KUBECONFIG does not answer: $(tail -1 <<<"$answer")"
if [ "$1" = down ]; then down "$2"; else up "$@"; fi
