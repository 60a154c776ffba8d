# shellcheck shell=sh
# Removes what an interrupted `up` made and the stack's state does not know. Standard input: lines "KIND NAME".
# Prints "removed KIND NAME", "foreign KIND NAME" for a service of others, which stays, "used KIND NAME", or nothing if it does not exist.
set -eu
while read -r kind name; do
  docker "$kind" inspect -- "$name" >/dev/null 2>&1 || continue
  if [ "$kind" = service ]; then
    labels=$(docker service inspect --format '{{json .Spec.Labels}}{{json .Spec.TaskTemplate.ContainerSpec.Labels}}' -- "$name")
    case $labels in
    *'"no.oslo-faas.'*) ;;
    *)
      echo "foreign $kind $name"
      continue
      ;;
    esac
  fi
  if docker "$kind" rm -- "$name" >/dev/null; then echo "removed $kind $name"; else echo "used $kind $name"; fi
done
