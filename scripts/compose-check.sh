#!/usr/bin/env bash
# Proves docker-compose.yml on a real Docker: builds the images, imports history, starts everything, posts, kills, and waits
# until an incident has come back as a notification; then the same with tokens. Takes about six minutes.
#
#   scripts/compose-check.sh
#
# Needs Docker with compose, curl and Node. Grafana takes part if its image is on this machine or PULL=1 is given.
# BUILD_NETWORK=host builds with the host's network, where containers have no way out to the npm registry.
# Its containers and volumes have names of their own, are on ports 28080, 29090, 29093 and 23000 (TILLWATCH_PORT, ...),
# and are removed at the end.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
export COMPOSE_PROJECT_NAME=tillwatch-check-$$ COMPOSE_PROGRESS=${COMPOSE_PROGRESS:-quiet}
export TILLWATCH_PORT=${TILLWATCH_PORT:-28080} TILLWATCH_PROMETHEUS_PORT=${TILLWATCH_PROMETHEUS_PORT:-29090}
export TILLWATCH_ALERTMANAGER_PORT=${TILLWATCH_ALERTMANAGER_PORT:-29093} TILLWATCH_GRAFANA_PORT=${TILLWATCH_GRAFANA_PORT:-23000}
unset COMPOSE_FILE COMPOSE_PROFILES
service=http://127.0.0.1:$TILLWATCH_PORT prometheus=http://127.0.0.1:$TILLWATCH_PROMETHEUS_PORT
grafana=http://127.0.0.1:$TILLWATCH_GRAFANA_PORT
services=(tillwatch alertmanager prometheus)

compose=(docker compose --project-directory "$root" -f "$root/docker-compose.yml")
if [ -n "${BUILD_NETWORK:-}" ]; then
  for name in tillwatch import demo-history demo-traffic; do printf '  %s: { build: { network: %s } }\n' $name "$BUILD_NETWORK"; done |
    sed '1i services:' >"$work/build-network.yml"
  compose+=(-f "$work/build-network.yml")
fi

clean_up() {
  local code=$?
  trap - EXIT
  [ $code = 0 ] || "${compose[@]}" --profile '*' logs --tail 8 >&2 || true
  "${compose[@]}" --profile '*' down --volumes --remove-orphans --timeout 5 >/dev/null 2>&1 || true
  rm -rf "$work"
  exit $code
}
trap clean_up EXIT
trap 'exit 130' INT TERM

say() { printf '%(%H:%M:%S)T %s\n' -1 "$*"; }
fail() { say "FAILED: $*" >&2; exit 1; }

# equal WHAT EXPECTED ACTUAL
equal() { [ "$2" = "$3" ] || fail "$1: expected $2, got $3"; say "ok: $1: $3"; }

# await WHAT SECONDS COMMAND...: until the command succeeds
await() {
  local what=$1 end=$((SECONDS + $2)) began=$SECONDS; shift 2
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt $end ] || fail "$what: not within $((end - began)) s"
    sleep 1
  done
  say "ok: $what, after $((SECONDS - began)) s"
}

# json EXPRESSION: of stdin as `it`
json() { node -e 'const it = JSON.parse(require("fs").readFileSync(0, "utf8")); console.log(eval(process.argv[1]))' "$1"; }
get() { curl -fsS "${auth[@]}" "$@"; }
auth=()

# query PROMQL: the value of the only sample
query() { curl -fsS -G --data-urlencode "query=$1" "$prometheus/api/v1/query" | json 'it.data.result[0].value[1]'; }
scraped() { [ "$(query 'up{job="tillwatch"}')" = 1 ]; }
counted() { get "$service/metrics" | sed -n "s/^transactions_total{status=\"$1\"} //p"; }
ready() { get "$service/-/ready" | grep -q '"baseline":"ready"'; }
# in_journal ALERT [STATUS]
in_journal() {
  local status=${2:-firing}
  get "$service/api/v1/alerts" |
    json "it.journal.some((note) => note.status === '$status' && note.alerts.some(({labels}) => labels.alertname === '$1'))" | grep -q true
}
post() { get -o "$work/answer" -w '%{http_code}' -H 'Content-Type: application/json' "$service/api/v1/transactions" -d "$1"; }

confined() {
  local name=$1 state
  state=$("${compose[@]}" exec -T "$name" sh -c 'id -u; touch /written 2>/dev/null && echo writable || echo read-only
    sed -n "s/^\(CapEff\|NoNewPrivs\):\t//p" /proc/self/status' | tr '\n' ' ')
  [[ $state =~ ^[1-9][0-9]*\ read-only\ 0000000000000000\ 1\ $ ]] ||
    fail "$name: user, root file system, capabilities, no-new-privileges are $state"
  say "ok: $name runs as user ${state%% *} without capabilities on a read-only root"
}

kill_9() {
  local before
  restarts() { docker inspect -f '{{.RestartCount}}' "$("${compose[@]}" ps -q tillwatch)"; }
  before=$(restarts)
  # From inside, as the same user: a container killed from outside is not started again.
  "${compose[@]}" exec -T tillwatch node -e '
    const fs = require("fs");
    const serves = (pid) => /^\d+$/.test(pid) && fs.readFileSync(`/proc/${pid}/cmdline`, "utf8").startsWith("node\0/app/dist/main.js\0serve");
    process.kill(Number(fs.readdirSync("/proc").find(serves)), "SIGKILL");'
  restarted() { [ "$(restarts)" -gt "$before" ]; }
  await 'kill -9: the container is started again' 30 restarted
  await 'kill -9: the service answers again' 60 get "$service/-/ready"
}

bring_history() {
  say 'importing 14 generated days through stdin, as docs/docker.md shows'
  local start; start=$(node -p 'new Date(Date.now() - 14 * 86400e3).toISOString()')
  "${compose[@]}" run --rm -T --no-deps tillwatch simulate --days 14 --start "$start" >"$work/history.csv"
  "${compose[@]}" run --rm -T import - <"$work/history.csv"
  ! "${compose[@]}" run --rm -T import - <"$work/history.csv" 2>"$work/again" || fail 'the same history was imported twice'
  grep -q 'count these minutes twice' "$work/again" || fail "importing twice: $(cat "$work/again")"
  say 'ok: the same history again is refused'
}

as_shipped() {
  "${compose[@]}" up --wait "${services[@]}"
  say "up: ${services[*]}"
  for name in "${services[@]}"; do confined "$name"; done
  await 'Prometheus scrapes the service' 60 scraped
  await 'the baseline is ready, from imported history' 150 ready

  local report='{"timestamp":"'$(date -u +%FT%H:%M:00Z)'","source":"check","counts":{"approved":7,"denied":1}}'
  equal 'a report is taken' 200 "$(post "$report")"
  equal 'the same again is a duplicate' 1 "$(post "$report" >/dev/null; json it.duplicates <"$work/answer")"
  kill_9
  equal 'kill -9: counted before and after' 7 "$(counted approved)"
  equal 'kill -9: the same again is still a duplicate' 1 "$(post "$report" >/dev/null; json it.duplicates <"$work/answer")"

  say 'an incident begins: denied at five times normal'
  "${compose[@]}" run -d --no-deps tillwatch simulate --post http://tillwatch:8080 --incident "denied-spike@$(date -u +%FT%H:%M:00Z)" >/dev/null
  await 'Alertmanager has told the journal of TransactionsDeniedAboveNormal' 360 in_journal TransactionsDeniedAboveNormal
  get "$service/api/v1/alerts" | json 'it.journal.find((note) => note.commonLabels.status === "denied").commonAnnotations.description'
  equal 'rules that fail to evaluate' 0 "$(curl -fsS "$prometheus/api/v1/rules" |
    json 'it.data.groups.flatMap((group) => group.rules).filter((rule) => rule.health === "err").length')"
}

with_grafana() {
  equal 'Grafana is well' ok "$(curl -fsS "$grafana/api/health" | json it.database)"
  equal 'its dashboard is there' Transactions "$(curl -fsS "$grafana/api/dashboards/uid/tillwatch-transactions" | json it.dashboard.title)"
}

# The steps of docs/docker.md, on a copy.
with_tokens() {
  local copy=$work/secured ingest read webhook
  mkdir "$copy"; cp -r "$root"/docker-compose*.yml "$root/prometheus" "$root/alertmanager" "$root/grafana" "$copy"
  ingest=$(openssl rand -hex 24) read=$(openssl rand -hex 24) webhook=$(openssl rand -hex 24)
  install -d -m 700 "$copy/secrets"
  printf 'ingest %s\nread %s\nwebhook %s\n' "$ingest" "$read" "$webhook" >"$copy/secrets/tokens"
  printf %s "$read" >"$copy/secrets/scrape_token"
  openssl rand -hex 12 >"$copy/secrets/grafana_admin_password"
  printf %s "$webhook" >"$copy/alertmanager/secrets/journal_token"
  chmod 644 "$copy"/secrets/* "$copy"/alertmanager/secrets/journal_token
  sed -i '/switch on: token/,/end: token/ { /----/! s/# // }' "$copy/alertmanager/alertmanager.yml"
  sed -i '/job_name: tillwatch$/a \    authorization: { credentials_file: /run/secrets/scrape_token }' "$copy/prometheus/prometheus.yml"

  "${compose[@]}" down --volumes --remove-orphans --timeout 5
  compose=(docker compose --project-directory "$copy" -f "$copy/docker-compose.yml" -f "$copy/docker-compose.secure.yml")
  "${compose[@]}" up --wait --no-build "${services[@]}"
  equal 'tokens: without one' 401 "$(curl -s -o /dev/null -w '%{http_code}' "$service/metrics")"
  auth=(-H "Authorization: Bearer $ingest")
  equal 'tokens: a report is taken' 200 "$(post '{"status":"approved"}')"
  await 'tokens: Prometheus scrapes with its own' 60 scraped
  auth=(-H "Authorization: Bearer $read")
  "${compose[@]}" exec -T alertmanager amtool alert add CheckOfTokens --alertmanager.url=http://127.0.0.1:9093
  await 'tokens: Alertmanager reaches the journal with its own' 60 in_journal CheckOfTokens
}

image=$("${compose[@]}" config --images | grep grafana)
if [ -n "${PULL:-}" ] || docker image inspect "$image" >/dev/null 2>&1; then services+=(grafana)
else say "$image is not on this machine: left out"; fi

"${compose[@]}" --profile '*' config --quiet
say 'building'
"${compose[@]}" build tillwatch import
bring_history
as_shipped
case " ${services[*]} " in *' grafana '*) with_grafana ;; esac
with_tokens
say 'all of it works'
