# shellcheck shell=sh
# What this host is in a swarm. Prints swarm= (docker info's Swarm as JSON), ca= (sha256 of the swarm's root certificate: it is the
# swarm's identity, and the middle part of every join token), and on a manager node= (JSON), worker= and manager= (join tokens).
# mark= is there where this project has put the host into a swarm: the node's id, or nothing where it was interrupted on the way.
# engine= is there instead of all this where the engine is missing or does not answer.
# Parameters: MARK (that file).
[ ! -e "$MARK" ] || printf 'mark=%s\n' "$(cat "$MARK")"
if ! command -v docker >/dev/null 2>&1; then
  echo engine=missing
  exit 0
fi
# An engine that has just been restarted answers after a moment.
tries=0
until info=$(timeout 30 docker info --format '{{json .Swarm}}' 2>&1) && [ "${info#\{}" != "$info" ]; do
  tries=$((tries + 1))
  if [ "$tries" -ge 10 ]; then
    printf 'engine=silent %s\n' "$(printf '%s' "$info" | tail -n 1)"
    exit 0
  fi
  sleep 1
done
printf 'swarm=%s\n' "$info"
root=$(timeout 30 docker info --format '{{.DockerRootDir}}')
certificate=$root/swarm/certificates/swarm-root-ca.crt
[ ! -r "$certificate" ] || printf 'ca=%s\n' "$(sha256sum <"$certificate" | cut -d' ' -f1)"
case $info in
*'"ControlAvailable":true'*)
  # A manager without a majority answers only docker info: what follows may fail, and is absent then.
  printf 'node=%s\n' "$(timeout 30 docker node inspect self --format '{{json .}}' 2>/dev/null || true)"
  printf 'worker=%s\n' "$(timeout 30 docker swarm join-token --quiet worker 2>/dev/null || true)"
  printf 'manager=%s\n' "$(timeout 30 docker swarm join-token --quiet manager 2>/dev/null || true)"
  ;;
esac
