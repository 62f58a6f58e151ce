#!/bin/sh
# notify: [{ command: /usr/share/doc/xivo-xds-sync/examples/notify-mail.sh }]
# Mails each condition that begins or ends to root. The fields come in the environment, and as JSON on standard input.
set -eu
case $XDS_EVENT in
  begin) subject="[XDS] $XDS_KIND ${XDS_MDS:-Main} $XDS_DIRECTORY" ;;
  *) subject="[XDS] over: $XDS_KIND ${XDS_MDS:-Main} $XDS_DIRECTORY" ;;
esac
{
  printf 'From: xivo-xds-sync <root>\nTo: root\nSubject: %s\nContent-Type: text/plain; charset=utf-8\n\n' \
    "$(printf '%s' "$subject" | tr -d '\r\n')"
  printf '%s\n\nSince: %s\nWhat to do: %s\n' "$XDS_CAUSE" "$XDS_SINCE" "$XDS_ACTION"
} | /usr/sbin/sendmail -t
