# shellcheck shell=sh
# Joins a swarm through the engine's API: `docker swarm join --token` would show the token in the process list.
# Parameters: REMOTE (address, for messages), JOIN_SECONDS. stdin: the body of POST /swarm/join.
socket=${DOCKER_HOST:-unix:///var/run/docker.sock}
socket=${socket#unix://}
command -v curl >/dev/null 2>&1 || refuse "curl is not on the host: joining a swarm without showing its token needs it" "install curl first"
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT
code=$(curl --silent --show-error --max-time "$JOIN_SECONDS" --unix-socket "$socket" --output "$work/answer" --write-out '%{http_code}' \
  --header 'Content-Type: application/json' --data-binary @- http://localhost/swarm/join 2>"$work/error") ||
  refuse "the engine did not answer within $JOIN_SECONDS s: $(cat "$work/error")" "see journalctl -u docker on the host"
case $code in
200) exit 0 ;;
esac
case $(cat "$work/answer") in
# The engine continues by itself; the caller waits for the result.
*'will continue in the background'*) exit 0 ;;
*) refuse "the engine refused to join the swarm at $REMOTE: $(cat "$work/answer")" "check that this host reaches $REMOTE (2377/tcp), and 7946 and 4789/udp between the nodes" ;;
esac
