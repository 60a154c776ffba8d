# shellcheck shell=sh
# For people: the last tasks of the service $SERVICE, and the log of the one that failed last, or of all where none did.
command -v docker >/dev/null || exit 1
tasks() {
  timeout 15 docker service ps --no-trunc --format "$1" "$SERVICE" 2>&1
}
echo '--- its tasks, newest first'
tasks '{{.CurrentState}}  {{.Error}}' | head -n 5
failed=$(tasks '{{.ID}} {{.CurrentState}}' | awk '$2 == "Failed" || $2 == "Complete" { print $1; exit }')
echo '--- its log'
timeout 15 docker service logs --raw --tail 20 "${failed:-$SERVICE}" 2>&1 | tail -n 20
