# shellcheck shell=sh
# Brings a unit to the wanted state, and stays until it is in it.
# Parameters: UNIT, RELOAD_DAEMON (1 or ""), ENABLED and ACTIVE (yes, no, or keep), CHANGE (none, reload, restart: what a running unit
# gets), TIMEOUT (seconds for each step).
details() {
  echo "--- systemctl status $UNIT"
  systemctl status --no-pager --full --lines=0 -- "$UNIT" 2>&1 | head -n 15
  echo "--- last lines of its journal"
  journalctl --no-pager --quiet --output=cat --lines=15 --unit="$UNIT" 2>&1 || true
}

# step VERB: bounded; systemctl itself would wait for as long as the unit's own limits say.
step() {
  code=0
  timeout "$TIMEOUT" systemctl --no-ask-password "$1" -- "$UNIT" 2>&1 || code=$?
  [ "$code" -ne 0 ] || return 0
  { [ "$1" = enable ] || [ "$1" = disable ]; } || details
  [ "$code" -ne 124 ] || refuse "systemctl $1 $UNIT did not end within $TIMEOUT s" "see its journal above; raise timeoutSeconds where it needs longer"
  refuse "systemctl $1 $UNIT failed" "see its journal above"
}

property() { systemctl show --no-pager --property="$1" -- "$UNIT" | cut -d= -f2-; }

# A unit that crashes after a moment was never up: what has just been started has to stay up for a second.
wait_active() {
  waited=0
  settled=$1
  restarts=$(property NRestarts)
  while :; do
    case $(property ActiveState) in
    active | reloading)
      [ "$settled" -gt 0 ] || break
      settled=$((settled - 1))
      ;;
    inactive)
      # A job that has run and ended well is what "active" can mean for a oneshot without RemainAfterExit.
      if [ "$(property Type)" = oneshot ] && [ "$(property Result)" = success ]; then break; fi
      details
      refuse "$UNIT is not active: it ended by itself" "see its journal above"
      ;;
    failed)
      details
      refuse "$UNIT failed to become active" "see its journal above"
      ;;
    esac
    if [ "$waited" -ge "$TIMEOUT" ]; then
      details
      refuse "$UNIT was not active within $TIMEOUT s: it is $(property ActiveState)" "see its journal above; raise timeoutSeconds where it needs longer"
    fi
    sleep 1
    waited=$((waited + 1))
  done
  if [ "$(property NRestarts)" != "$restarts" ]; then
    details
    refuse "$UNIT does not stay up: systemd restarts it again and again" "see its journal above"
  fi
}

apply() {
  [ -z "$RELOAD_DAEMON" ] || timeout "$TIMEOUT" systemctl daemon-reload
  case $(property LoadState) in
  not-found) refuse "there is no unit $UNIT on the host" "install the package that brings it first (dependsOn), or give its text in 'content'" ;;
  masked) refuse "$UNIT is masked: someone decided that it must not start" "systemctl unmask $UNIT on the host, if that decision no longer stands" ;;
  error | bad-setting) details; refuse "systemd cannot load $UNIT" "correct what the lines above name" ;;
  esac
  is=$(systemctl is-enabled -- "$UNIT" 2>/dev/null || true)
  case $ENABLED:$is in
  yes:enabled | yes:static | yes:alias | yes:indirect | yes:generated | keep:* | no:disabled | no:static | no:indirect | no:generated | no:alias) ;;
  yes:*) step enable ;;
  no:*) step disable ;;
  esac
  state=$(property ActiveState)
  case $ACTIVE in
  no)
    [ "$state" = inactive ] || step stop
    # A unit that was down because it failed is stopped now, and no longer failed.
    systemctl reset-failed -- "$UNIT" 2>/dev/null || true
    ;;
  yes | keep)
    case $state:$CHANGE in
    active:none | reloading:none) [ "$ACTIVE" = keep ] || wait_active 0 ;;
    active:reload | reloading:reload) step reload-or-restart && wait_active 1 ;;
    active:restart | activating:restart | activating:reload | reloading:restart) step restart && wait_active 1 ;;
    activating:none) [ "$ACTIVE" = keep ] || wait_active 1 ;;
    *)
      if [ "$ACTIVE" = yes ]; then
        # Earlier failures count against the limit of starts; this start is a new decision.
        systemctl reset-failed -- "$UNIT" 2>/dev/null || true
        step start
        wait_active 1
      fi
      ;;
    esac
    ;;
  esac
}

apply >&2
