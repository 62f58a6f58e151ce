#!/bin/sh
# notify: [{ command: /usr/share/doc/xivo-xds-sync/examples/notify-icinga.sh }]
# Hands each condition to Icinga 2 as a passive check result of the service "xds-sync" of the host named after the MDS.
# ICINGA_API, ICINGA_USER and ICINGA_PASSWORD stand in /etc/xivo-xds-sync/icinga.env.
set -eu
# shellcheck source=/dev/null
. /etc/xivo-xds-sync/icinga.env
case $XDS_EVENT:$XDS_SEVERITY in
  end:*) state=0 ;;
  begin:critical) state=2 ;;
  *) state=1 ;;
esac
quoted=$(printf '%s: %s' "$XDS_KIND" "$XDS_CAUSE" | tr -d '\000-\037' | sed 's/[\\"]/\\&/g')
curl --fail --silent --show-error --max-time 8 --user "$ICINGA_USER:$ICINGA_PASSWORD" \
  --header 'Accept: application/json' --request POST "$ICINGA_API/v1/actions/process-check-result" \
  --data "{\"type\":\"Service\",\"service\":\"${XDS_MDS:-main}!xds-sync\",\"exit_status\":$state,\"plugin_output\":\"$quoted\"}"
