# shellcheck shell=sh
# How far the engine is with the last update of the service $SERVICE: "updating", "completed", "rollback_completed"…, or an empty
# line where there was none since it was deployed.
timeout 15 docker service inspect --format '{{if .UpdateStatus}}{{.UpdateStatus.State}}{{end}}' "$SERVICE"
