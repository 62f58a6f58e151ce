#!/bin/sh
# Makes this host a media server (MDS) of a XiVO Main: enrols xivo-xds-sync-agent with Main and starts it.
# Running it again changes nothing, unless Main has a newer agent by then. A failure half way leaves nothing behind.
# Exit codes: 0 done; 1 failed; 2 wrong usage.
set -u

PROGRAM=mds_install.sh
SERVICE=xivo-xds-sync-agent.service
UNIT_FILE=/etc/systemd/system/$SERVICE
UNIT_MARK='# Installed by mds_install.sh'
# How long a started agent may take to reach Main, seconds.
CONNECT_WITHIN=15

usage() {
  cat <<'EOF'
Usage: mds_install.sh --main HOST[:PORT] [--token-file FILE|-] [--name NAME] [--root DIR]
       mds_install.sh --uninstall [--root DIR]
       mds_install.sh --old-key [--root DIR]

Makes this host a media server (MDS) of a XiVO Main. On Main, create a join token first:
    xivo-xds-sync mds add NAME

  --main HOST[:PORT]   Main's address (default port: 9443)
  --token-file FILE    the file that holds the join token; - for standard input
  --name NAME          this MDS's name (default: the one that the token was made for)
  --root DIR           prefix every path with DIR: a whole MDS in a folder, to try things out
  --uninstall          stop the agent and leave Main; the synchronised files are kept
  --old-key            let the old rsync job's key log in here again, after "xivo-xds-sync migrate --back" on Main

If this host has no agent, or one that is older than Main, the agent's package is fetched from Main, with curl or wget,
over a connection that is authenticated with the key from the token.

With --main and a token, the script asks nothing. On a terminal, it asks for what is missing.
EOF
}

say() { printf '%s\n' "$*"; }

fail() {
  printf '%s: %s\n' "$PROGRAM" "$*" >&2
  exit 1
}

wrong() {
  printf '%s: %s\nTry "%s --help".\n' "$PROGRAM" "$*" "$PROGRAM" >&2
  exit 2
}

# --- arguments

read_arguments() {
  main='' token_file='' name='' root='' uninstall=no old_key_back=no
  while [ $# -gt 0 ]; do
    case $1 in
      --main | --token-file | --name | --root)
        if [ $# -lt 2 ] || [ -z "$2" ]; then wrong "$1 needs a value"; fi
        case $1 in
          --main) main=$2 ;;
          --token-file) token_file=$2 ;;
          --name) name=$2 ;;
          --root) root=$2 ;;
        esac
        shift
        ;;
      --main=*) main=${1#*=} ;;
      --token-file=*) token_file=${1#*=} ;;
      --name=*) name=${1#*=} ;;
      --root=*) root=${1#*=} ;;
      --uninstall) uninstall=yes ;;
      --old-key) old_key_back=yes ;;
      -h | --help)
        usage
        exit 0
        ;;
      xds1.*) wrong 'a token on the command line can be read by every user of this host: give it with --token-file FILE, or - for standard input' ;;
      *) wrong "unknown argument: $1" ;;
    esac
    shift
  done
  case $root in
    '' | /) root='' ;;
    /*) root=${root%/} ;;
    *) root=$(pwd)/${root%/} ;;
  esac
}

require_root() {
  [ "$(id -u)" -eq 0 ] && return
  fail "this must run as root, and you are $(id -un 2>/dev/null || id -u): try again with sudo, or as root"
}

# Asks only for what is missing, and only a person at a terminal.
ask_what_is_missing() {
  if [ -z "$main" ]; then
    [ -t 0 ] || wrong '--main HOST[:PORT] is required'
    printf 'Main (HOST or HOST:PORT): ' >&2
    read -r main || main=''
    [ -n "$main" ] || wrong '--main HOST[:PORT] is required'
  fi
}

# Puts the token into $token; empty when a person prefers to be approved on Main.
read_token() {
  token=''
  if [ -n "$token_file" ] && [ "$token_file" != - ]; then
    [ -r "$token_file" ] || fail "the token file $token_file can't be read"
    token=$(cat "$token_file") || fail "the token file $token_file can't be read"
    [ -n "$token" ] || fail "no token found in $token_file"
  elif [ -t 0 ]; then
    printf 'Join token, from "xivo-xds-sync mds add NAME" on Main (empty: ask to be approved there): ' >&2
    trap 'stty echo' EXIT
    trap 'exit 130' INT TERM
    stty -echo
    read -r token || token=''
    stty echo
    trap - EXIT INT TERM
    printf '\n' >&2
  else
    token=$(cat)
    [ -n "$token" ] || wrong 'there is no token: give --token-file FILE, or the token on standard input'
  fi
}

# --- the agent's program and its places

find_agent() {
  here=$(dirname "$(readlink -f "$0")")
  agent=/usr/bin/xivo-xds-sync-agent
  [ ! -x "$here/../bin/xivo-xds-sync-agent" ] || agent=$(readlink -f "$here/../bin/xivo-xds-sync-agent")
}

# Main's key in the form that curl and wget compare: from the token, or as it was learnt when enrolling.
read_pin() {
  hex=''
  if [ -n "${token:-}" ]; then
    payload=$(printf '%s' "${token#xds1.}" | tr -d ' \r\n' | tr '_-' '/+')
    while [ $((${#payload} % 4)) -ne 0 ]; do payload="$payload="; done
    hex=$(printf '%s' "$payload" | base64 -d 2>/dev/null | sed -n 's/.*"m":"\([0-9a-f]\{64\}\)".*/\1/p')
  fi
  if [ -z "$hex" ] && [ -r "$identity/main.json" ]; then
    hex=$(sed -n 's/.*"mainPin":"\([0-9a-f]\{64\}\)".*/\1/p' "$identity/main.json")
  fi
  [ -n "$hex" ] || return 1
  octal=''
  while [ -n "$hex" ]; do
    rest=${hex#??}
    octal="$octal\\$(printf '%03o' "0x${hex%"$rest"}")"
    hex=$rest
  done
  # shellcheck disable=SC2059 # the format is the bytes
  pin=sha256//$(printf "$octal" | base64)
}

# Fetches $1 from Main into the file $2. Nothing is sent before Main's key is the expected one. The certificate's name
# does not matter then, and no authority signed it.
fetch() {
  if command -v curl >/dev/null 2>&1; then
    curl --silent --show-error --fail --insecure --pinnedpubkey "$pin" --max-time 300 \
      --output "$2" "https://$(with_port "$main")/install/$1"
  elif command -v wget >/dev/null 2>&1; then
    wget --quiet --no-check-certificate --pinnedpubkey="$pin" --tries=1 --timeout=60 \
      --output-document="$2" "https://$(with_port "$main")/install/$1"
  else
    say 'neither wget nor curl is installed here' >&2
    return 1
  fi
}

gave_up() {
  rm -rf "$download"
  fail "$*"
}

# The agent's package of Main's own version, where no agent is installed yet.
need_agent() {
  if [ ! -x "$agent" ]; then
    [ -z "$root" ] || fail "the agent is not here: neither $agent nor $here/../bin/xivo-xds-sync-agent"
    read_pin || fail 'the agent is not installed, and a token is needed to verify the key of Main: make one on Main with "xivo-xds-sync mds add NAME", or install the package xivo-xds-sync-agent first'
    say "fetching the agent from Main at $(with_port "$main")"
    download=$(mktemp -d) || fail 'no room in /tmp'
    fetch xivo-xds-sync-agent.deb "$download/xivo-xds-sync-agent.deb" || gave_up "the agent can't be fetched from Main at $(with_port "$main"): is that the Main of the token, and does it run? Or copy /usr/share/xivo-xds-sync/xivo-xds-sync-agent.deb from Main, and install it with \"dpkg -i\""
    said=$(dpkg --install "$download/xivo-xds-sync-agent.deb" 2>&1) || gave_up "the agent's package can't be installed: $said"
    rm -rf "$download"
    say 'installed the package xivo-xds-sync-agent'
  fi
  said=$("$agent" --version 2>&1) || fail "the agent ($agent) does not run: $said"
}

# An agent that is behind Main's version is replaced by Main's own. One that is ahead stays: Main says what to do.
upgrade_agent() {
  [ -z "$root" ] && have=$(dpkg-query -W -f '${Version}' xivo-xds-sync-agent 2>/dev/null) && read_pin || return 0
  download=$(mktemp -d) || fail 'no room in /tmp'
  # A Main that does not say its version is an old one.
  if fetch version "$download/version" 2>/dev/null && wanted=$(cat "$download/version") &&
    dpkg --compare-versions "$wanted" gt "$have"; then
    fetch xivo-xds-sync-agent.deb "$download/xivo-xds-sync-agent.deb" || gave_up "this agent is $have and Main's is $wanted, but that can't be fetched from Main at $(with_port "$main")"
    has_systemd || stop_agent
    said=$(dpkg --install "$download/xivo-xds-sync-agent.deb" 2>&1) || gave_up "the agent's package can't be installed: $said"
    say "upgraded the agent from $have to $wanted"
  fi
  rm -rf "$download"
}

# The rsync job's key is no longer needed, and would let anyone who has it log in to this host.
retire_old_key() {
  authorized=$(readlink -f "$root/root/.ssh/authorized_keys")
  [ -f "$authorized" ] && read_pin || return 0
  old_key=$(mktemp) || return 0
  if fetch rsync_xds.pub "$old_key" 2>/dev/null; then
    blob=$(awk '{ print $2; exit }' "$old_key")
    if [ -n "$blob" ] && grep -qF " $blob" "$authorized"; then
      backup=$authorized.before-xivo-xds-sync
      # What goes, with its options: "--old-key" puts just that back.
      (umask 077 && grep -F " $blob" "$authorized" >"$authorized.rsync_xds") 2>/dev/null
      grep -vF " $blob" "$authorized" >"$old_key"
      # Whole or not at all, also when the disk is full: who may log in hangs on it. A copy first, for owner and mode.
      if cp -p "$authorized" "$backup" && cp -p "$authorized" "$authorized.new" &&
        cat "$old_key" >"$authorized.new" && mv "$authorized.new" "$authorized"; then
        say "removed Main's old rsync key (rsync_xds) from $authorized (backup: $backup)"
        logger -t xivo-xds-sync "removed Main's rsync_xds key from $authorized; the file as it was: $backup" 2>/dev/null
      else
        rm -f "$authorized.new"
        say "Main's key of the old rsync job (rsync_xds) may still log in here: it could not be removed from $authorized" >&2
      fi
    fi
  fi
  rm -f "$old_key"
}


name_places() {
  config=$root/etc/xivo-xds-sync/agent.yml
  state=$root/var/lib/xivo-xds-sync
  identity=$state/identity
  run=$root/run/xivo-xds-sync
  pid_file=$run/agent.pid
  output=$run/agent.out
  installer=$root/var/lib/xivo-xds-sync-upgrade
}

run_agent() {
  if [ -n "$root" ]; then "$agent" --root "$root" "$@"; else "$agent" "$@"; fi
}

# --- what is there already

is_enrolled() {
  [ -f "$identity/main.json" ] && [ -f "$config" ] && grep -q '"approved":true' "$identity/main.json"
}

with_port() {
  case $1 in
    \[*\]) printf '%s:9443\n' "$1" ;;
    *:*) printf '%s\n' "$1" ;;
    *) printf '%s:9443\n' "$1" ;;
  esac
}

enrolled_main() {
  sed -n 's/^main:[[:space:]]*"\{0,1\}\([^"[:space:]]*\).*/\1/p' "$config"
}

# Without its socket it does not run: nothing has to be started to find that out.
is_running() {
  [ -S "$run/agent.sock" ] || return 1
  run_agent status >/dev/null 2>&1
  [ $? -ne 3 ]
}

has_systemd() {
  [ -z "$root" ] && [ -d /run/systemd/system ]
}

# --- undoing

# Every folder that a failed run has to take away again, deepest first.
remember_missing() {
  made='' spent=''
  for folder in "$root/etc/xivo-xds-sync" "$identity" "$run"; do
    while [ -n "$folder" ] && [ ! -e "$folder" ]; do
      made="$made$folder
"
      folder=${folder%/*}
    done
  done
  had_installer=no
  [ ! -e "$installer" ] || had_installer=yes
  had_config=no had_identity=no had_state=no had_unit=no had_agent=no download=''
  [ ! -x "$agent" ] || had_agent=yes
  # With a mark at the end, since the shell drops line ends there.
  [ ! -e "$config" ] || old_config=$(cat "$config" && echo .)
  [ ! -e "$config" ] || had_config=yes
  [ ! -e "$identity" ] || had_identity=yes
  [ ! -e "$state/state.sqlite" ] || had_state=yes
  [ ! -e "$UNIT_FILE" ] || had_unit=yes
}

# What this run made goes; what was there before stays.
undo() {
  trap - EXIT
  stop_agent
  give_back_enrolment
  [ "$had_unit" = yes ] || remove_unit
  if [ "$had_config" = no ]; then rm -f "$config"; else printf '%s' "${old_config%.}" >"$config"; fi
  [ "$had_identity" = yes ] || rm -rf "$identity"
  [ "$had_state" = yes ] || rm -f "$state/state.sqlite" "$state/state.sqlite-wal" "$state/state.sqlite-shm"
  [ "$had_installer" = yes ] || rm -rf "$installer"
  rm -f "$pid_file" "$output"
  [ -z "$download" ] || rm -rf "$download"
  [ "$had_agent" = yes ] || remove_package
  printf '%s' "$made" | while read -r folder; do rmdir "$folder" 2>/dev/null; done
}

# A spent token does not come back, but Main need not wait for an MDS that is none.
give_back_enrolment() {
  [ -n "$spent" ] || return 0
  replace=''
  run_agent leave >/dev/null 2>&1 || replace=' --replace'
  say "everything was undone, but the token is used up: make another on Main with \"xivo-xds-sync mds add NAME$replace\"" >&2
}

# Only the program: what was there of identity and state before, is not dpkg's to take away.
remove_package() {
  ! dpkg-query -W xivo-xds-sync-agent >/dev/null 2>&1 || dpkg --remove xivo-xds-sync-agent >/dev/null 2>&1
  [ "$had_config" = yes ] || [ "$had_state" = yes ] || [ "$had_identity" = yes ] ||
    dpkg --purge xivo-xds-sync-agent >/dev/null 2>&1
}

# Lasts until the trap on EXIT is taken away. dash runs that one only when the shell exits by itself.
undo_on_failure() {
  trap undo EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
}

# --- starting and stopping

# Everything about the start that can fail before the token is spent.
prepare_start() {
  if has_systemd; then install_unit; else mkdir -p "$run" || fail "$run can't be created"; fi
}

install_unit() {
  ! systemctl cat "$SERVICE" >/dev/null 2>&1 || return 0
  [ -r "$here/$SERVICE" ] || fail "there is no $here/$SERVICE to install"
  {
    printf '%s\n' "$UNIT_MARK"
    sed "s|^ExecStart=[^ ]*|ExecStart=$agent|" "$here/$SERVICE"
  } >"$UNIT_FILE" || fail "$UNIT_FILE can't be written"
  systemctl daemon-reload
  say "installed $UNIT_FILE"
}

remove_unit() {
  has_systemd && [ -f "$UNIT_FILE" ] && head -n 1 "$UNIT_FILE" | grep -qxF "$UNIT_MARK" || return 0
  systemctl disable --now "$SERVICE" >/dev/null 2>&1
  rm -f "$UNIT_FILE"
  systemctl daemon-reload
}

start_agent() {
  prepare_start
  if has_systemd; then
    # It is ready only when it has reached its directories: the wait below is the one with an end.
    said=$(systemctl enable "$SERVICE" 2>&1 && systemctl start --no-block "$SERVICE" 2>&1) ||
      fail "the service $SERVICE can't be started: $said"
    how="the service $SERVICE"
  else
    if [ -n "$root" ]; then set -- --root "$root" run; else set -- run; fi
    setsid "$agent" "$@" </dev/null >"$output" 2>&1 &
    started=$!
    echo "$started" >"$pid_file" || fail "$pid_file can't be written"
    how="in the background (process $started, in $pid_file; systemd does not run here, so start it again after a reboot)"
  fi
  waited=0
  until is_running; do
    waited=$((waited + 1))
    # By its number alone: for a moment the process still has the name of this script, or of setsid.
    if [ "$waited" -gt 40 ] || ! { has_systemd || kill -0 "$started" 2>/dev/null; }; then
      fail "the agent does not start: $(why_not_started)"
    fi
    sleep 0.3
  done
  say "the agent runs: $how"
}

why_not_started() {
  if has_systemd; then
    systemctl status --no-pager --lines 5 "$SERVICE" 2>&1
  else
    tail -n 5 "$output" 2>&1
  fi
}

# Only the process that the pid file means, not another that has got its number since.
background_agent() {
  [ -r "$pid_file" ] || return 1
  pid=$(cat "$pid_file")
  [ -n "$pid" ] && tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -q 'agent.* run'
}

stop_agent() {
  if has_systemd; then
    systemctl stop "$SERVICE" >/dev/null 2>&1
  fi
  background_agent || return 0
  kill "$pid" 2>/dev/null
  waited=0
  while background_agent && [ "$waited" -lt 150 ]; do
    waited=$((waited + 1))
    sleep 0.1
  done
  if background_agent; then kill -9 "$pid" 2>/dev/null; fi
  rm -f "$pid_file"
}

is_connected() {
  run_agent status --json 2>/dev/null | tr -d ' \n' | grep -q '"link":{"state":"connected"'
}

wait_until_connected() {
  deadline=$(($(date +%s) + $1))
  until is_connected; do
    [ "$(date +%s)" -lt "$deadline" ] || return 1
    sleep 0.3
  done
}

# --- the three jobs

enrol() {
  set -- --main "$main"
  [ -z "$name" ] || set -- "$@" --name "$name"
  if [ -n "$token" ]; then
    printf '%s\n' "$token" | run_agent enroll "$@" --token-file -
  else
    run_agent enroll "$@"
  fi || exit 1
}

install_new() {
  remember_missing
  undo_on_failure
  need_agent
  upgrade_agent
  prepare_start
  enrol
  spent=${token:+yes}
  start_agent
  if is_enrolled && ! wait_until_connected "$CONNECT_WITHIN"; then
    trap - EXIT
    fail "enrolled, and the agent runs and keeps trying, but is not connected: $(run_agent status 2>&1 | head -n 1)"
  fi
  trap - EXIT
}

install_again() {
  known=$(enrolled_main)
  if [ "$(with_port "$known")" != "$(with_port "$main")" ]; then
    fail "this host is already an MDS of the Main at $known: run \"$PROGRAM --uninstall\" first, or change \"main:\" in $config if the same Main has a new address"
  fi
  say "this host is already enrolled with the Main at $main"
  need_agent
  upgrade_agent
  if is_running; then
    say 'the agent runs'
    patience=2
  else
    start_agent
    patience=$CONNECT_WITHIN
  fi
  ! wait_until_connected "$patience" || return 0
  problem=$(run_agent status 2>&1 | head -n 1)
  [ -n "$token_file" ] || fail "but Main does not let it in, or can't be reached: $problem"
  # Perhaps this MDS was removed on Main, and this is its new token.
  say "not connected ($problem): enrolling again"
  read_token
  stop_agent
  enrol
  start_agent
  wait_until_connected "$CONNECT_WITHIN" || fail "enrolled again, but still not connected: $(run_agent status 2>&1 | head -n 1)"
}

# The way back to the rsync job, for "migrate --back" on Main.
put_old_key_back() {
  authorized=$(readlink -f "$root/root/.ssh/authorized_keys")
  kept=$authorized.rsync_xds
  [ -s "$kept" ] || fail "there is no key to put back: $kept does not exist. If this script removed a key, it is in $authorized.before-xivo-xds-sync"
  if [ -f "$authorized" ] && ! grep -qvxFf "$authorized" "$kept"; then
    say "the key of the old rsync job may already log in here ($authorized)"
    return
  fi
  # Whole or not at all, as it was taken away. A copy first, for owner and mode; a last line without an end gets one.
  new=$authorized.new
  if [ -f "$authorized" ]; then
    if ! { cp -p "$authorized" "$new" && awk 1 "$authorized" >"$new" && grep -vxFf "$authorized" "$kept" >>"$new"; }; then
      rm -f "$new"
      fail "$authorized can't be written"
    fi
  elif ! (umask 077 && cat "$kept" >"$new"); then
    rm -f "$new"
    fail "$authorized can't be written"
  fi
  mv "$new" "$authorized" || fail "$authorized can't be written"
  say "the key of the old rsync job may log in here again: put back into $authorized"
  logger -t xivo-xds-sync "put the rsync_xds key back into $authorized" 2>/dev/null
}

remove_all() {
  if [ ! -e "$identity/main.json" ] && [ ! -e "$config" ] && ! background_agent; then
    say 'nothing to uninstall: this host is not an MDS'
    return
  fi
  if has_systemd; then systemctl disable --now "$SERVICE" >/dev/null 2>&1; fi
  stop_agent
  ! is_running || fail 'the agent is still running, and was not started by this script: stop it, then run this again'
  remove_unit
  # Says itself what is to be done on Main when Main can't be reached.
  run_agent leave
  rm -rf "$installer"
  rm -rf "$identity" || fail "$identity can't be removed"
  rm -f "$state/state.sqlite" "$state/state.sqlite-wal" "$state/state.sqlite-shm" "$output"
  if [ -e "$config" ]; then
    mv "$config" "$config.old" && say "the configuration is now $config.old"
  fi
  rmdir "$state" "$run" 2>/dev/null
  if [ -z "$root" ] && dpkg-query -W xivo-xds-sync-agent >/dev/null 2>&1; then
    dpkg --remove xivo-xds-sync-agent >/dev/null 2>&1 && say 'removed the package xivo-xds-sync-agent'
  fi
  say 'this host is no longer an MDS. Its files are kept, with the trash in .xivo-xds-sync of each directory.'
}

# In one function, so that a script cut short on its way here does nothing.
install() {
  read_arguments "$@"
  require_root
  find_agent
  name_places
  if [ "$uninstall" = yes ]; then
    [ "$old_key_back" = no ] || wrong '--old-key and --uninstall are two steps: one after the other'
    remove_all
    exit 0
  fi
  if [ "$old_key_back" = yes ]; then
    put_old_key_back
    exit 0
  fi
  ask_what_is_missing
  if is_enrolled; then
    install_again
  else
    read_token
    install_new
  fi
  retire_old_key
  if is_enrolled; then
    # From now on Main may upgrade the agent; the agent itself can't say so.
    run_agent trust-main
    say "Done. Check this MDS with: $agent${root:+ --root $root} status"
    say 'Check all of them on Main with: xivo-xds-sync status'
  else
    say 'done, except for the approval on Main; until then the agent keeps asking'
  fi
}

install "$@"
