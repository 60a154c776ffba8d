# shellcheck shell=sh
# Everything of the host that `npx oslo-faas status` shows, in one round trip. It reads only, but for one temporary file that the disk is
# measured with. Standard input: lines "NAME<tab>QUERY" for Prometheus.
# Parameters: ORIGIN (Nginx as the host reaches it), UNITS, ACME (folder of the certificate that is ordered, or ""), CLOSED (ports that no container reaches), TARGETS (HOST:PORT, to connect to), FSYNC_COUNT and FSYNC_SECONDS (bounds of the measurement).
# Prints a line for each part: its name, its exit code, its output and its error, both in base64. A part that fails says so alone.
set -u
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
LC_ALL=C
export PATH LC_ALL

dir=$(mktemp -d) || exit 1
trap 'rm -rf -- "$dir"' EXIT

part() {
  part=$1
  shift
  "$@" >"$dir/out" 2>"$dir/err" </dev/null
  code=$?
  printf '%s %s %s %s\n' "$part" "$code" "$(base64 -w0 <"$dir/out")" "$(tail -n 3 "$dir/err" | base64 -w0)"
}

facts() {
  printf 'hostname=%s\n' "$(uname -n)"
  printf 'kernel=%s\n' "$(uname -r)"
  printf 'os=%s\n' "$(sed -n 's/^PRETTY_NAME=//p' /etc/os-release | tr -d '"')"
  printf 'uptime=%s\n' "$(cut -d' ' -f1 /proc/uptime)"
  printf 'load=%s\n' "$(cut -d' ' -f1-3 /proc/loadavg)"
  printf 'cpus=%s\n' "$(getconf _NPROCESSORS_ONLN)"
  awk '/^MemTotal:/ { print "memoryKiB=" $2 } /^MemAvailable:/ { print "availableKiB=" $2 }' /proc/meminfo
  # Where images, logs and the queue are; a file system that holds both is one.
  for path in / /var/lib/docker /var/lib/docker/volumes/openfaas-calls/_data; do
    [ -d "$path" ] && df -Pk "$path"
  done | awk '/%/ && $1 != "Filesystem" && !seen[$6]++ { print "disk." $6 "=" $2 " " $4 }'
}

units() {
  for unit in $UNITS; do
    printf '%s=%s\n' "$unit" "$(systemctl is-active "$unit")"
  done
}

# As preflight measures it: small synchronous writes where the queue's volume is.
fsync() {
  file=$(mktemp /var/lib/.oslo-faas-fsync.XXXXXX) || return
  start=$(date +%s%N)
  timeout "$FSYNC_SECONDS" dd if=/dev/zero of="$file" bs=4k count="$FSYNC_COUNT" oflag=dsync 2>/dev/null
  end=$(date +%s%N)
  size=$(stat -c %s "$file")
  rm -f -- "$file"
  awk -v size="$size" -v ns="$((end - start))" 'BEGIN { printf "%d\n", (size / 4096) / (ns / 1e9) }'
}

front_door() {
  curl -sk -o /dev/null -m 10 -w '%{http_code} %{time_total}\n' "$ORIGIN/healthz"
}

# The time and the reason of an order that failed.
order() {
  [ -z "$ACME" ] || [ ! -f "$ACME/error" ] || cat "$ACME/error"
}

# Milliseconds of the fastest of three connects, without the look-up of the name. Bash times them itself: nothing is started in between.
targets() {
  for target in $TARGETS; do
    address=$(getent ahosts "${target%:*}" | awk '{ print $1; exit }')
    took=$(
      for _ in 1 2 3; do
        # shellcheck disable=SC2016 # for bash
        one=$(timeout 3 bash -c 'TIMEFORMAT=%3R; { time { exec 3<>"/dev/tcp/$0/$1"; } 2>/dev/null; } 2>&1' "$address" "${target##*:}") || break
        echo "$one"
      done | sort -n | awk '{ print $1 * 1000; exit }'
    )
    echo "$target=$took"
  done
}

services() {
  timeout 15 docker service ls --format '{{.Name}}|{{.Replicas}}' >"$dir/services" || return
  ids=$(timeout 15 docker service ls -q) || return
  [ -n "$ids" ] || return 0
  # shellcheck disable=SC2086 # ids are words
  timeout 15 docker service inspect --format \
    '{{.Spec.Name}}|{{.Spec.TaskTemplate.ContainerSpec.Image}}|{{index .Spec.TaskTemplate.ContainerSpec.Labels "no.oslo-faas.part"}}|{{index .Spec.Labels "com.openfaas.function"}}' \
    $ids >"$dir/specs" || return
  while IFS='|' read -r name replicas; do
    spec=$(grep -F -- "$name|" "$dir/specs" | awk -F'|' -v n="$name" '$1 == n { print $2 "|" $3 "|" $4 }')
    why=
    case $replicas in
      "${replicas%%/*}/${replicas%%/*}"*) ;;
      *) why=$(timeout 15 docker service ps --no-trunc --format '{{.CurrentState}}: {{.Error}}' "$name" | grep -v ': $' | head -n 1) ;;
    esac
    printf '%s|%s|%s|%s\n' "$name" "$replicas" "$spec" "$why"
  done <"$dir/services"
}

# Sets pid to the first process of a service's container.
find_process() {
  service=$1
  id=$(timeout 15 docker ps -q --filter "label=com.docker.swarm.service.name=$service" | head -n 1)
  if [ -z "$id" ]; then
    echo "no container of $service runs on this host" >&2
    return 1
  fi
  pid=$(timeout 15 docker inspect -f '{{.State.Pid}}' "$id")
}

# What is open, and not what a unit says: a port that is closed says nothing, and one where nobody listens refuses.
closed_ports() {
  [ -n "$CLOSED" ] || return 0
  find_process exporter || return
  host=$(nsenter -t "$pid" -n -- ip -4 route show default | awk '{ print $3; exit }')
  [ -n "$host" ] || return
  for port in $CLOSED; do
    code=0
    nsenter -t "$pid" -n -- timeout 1 bash -c "exec 3<>/dev/tcp/$host/$port" 2>/dev/null || code=$?
    if [ "$code" -eq 124 ]; then echo "$port=closed"; else echo "$port=open"; fi
  done
}

# Neither NATS nor Prometheus has a port on the host; root can ask from within their network.
inside() {
  find_process "$1" || return
  shift
  nsenter -t "$pid" -n -- "$@"
}

# What the provider knows and the engine's list does not show: why a function does not start, or that its update was taken back.
functions() {
  find_process swarm-provider || return
  secrets=/proc/$pid/root/run/secrets
  credentials=$(printf '%s:%s' "$(cat "$secrets/basic-auth-user")" "$(cat "$secrets/basic-auth-password")" | base64 -w0)
  # On standard input: everybody on the host can read arguments.
  printf 'Authorization: Basic %s\n' "$credentials" |
    nsenter -t "$pid" -n -- curl -sSf -m 15 -H @- http://127.0.0.1:8080/system/functions
}

queue() {
  find_process nats || return
  printf '{"jsz":'
  nsenter -t "$pid" -n -- curl -sSf -m 10 'http://127.0.0.1:8222/jsz?streams=true&consumers=true&config=true' || return
  printf ',"connz":'
  nsenter -t "$pid" -n -- curl -sSf -m 10 'http://127.0.0.1:8222/connz?limit=1024' || return
  printf '}'
}

ask() {
  inside prometheus curl -sS -m 10 -G --data-urlencode "query=$1" http://127.0.0.1:9090/api/v1/query
}

part facts facts
part units units
part frontDoor front_door
part order order
part targets targets
part services services
part functions functions
part closedPorts closed_ports
part queue queue
part alerts inside prometheus curl -sS -m 10 http://127.0.0.1:9090/api/v1/alerts
while IFS='	' read -r name query; do
  part "prometheus.$name" ask "$query"
done
# Last, when nothing else here uses the disk.
part fsync fsync
echo end 0
