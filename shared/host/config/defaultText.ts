import { formatHostPort, type HostPort } from './hostPort.ts';

/**
 * The text of a new controller.yml: every key, commented out with its default, except those given here.
 * A line that begins with `#` and no blank is a default; taking the `#` away changes nothing.
 */
export function controllerConfigText(given: { readonly listen?: HostPort } = {}): string {
  return `# XiVO XDS file synchronisation, on Main. Every key is optional; the values shown are the defaults.
# After it are read, in order, the files controller.d/*.yml beside it. After a change:
# xivo-xds-sync check-config && systemctl reload xivo-xds-sync

# Where agents connect to. An IPv6 address needs quotes: "[::]:9443"
${keyLine('listen', given.listen && formatHostPort(given.listen), '0.0.0.0:9443')}

# How often everything is compared, changed or not.
#reconcile:
#  every: 15m

# How long a file must be unchanged before it is sent; each directory may have its own.
#settle: 300ms

# When an MDS reloads: changed (when a change touched the directory) or always (after every pass).
#reload: changed

# What is synchronised, on Main and on every MDS. What is listed here is added to these four; an entry with one of
# their names changes only the keys that it has, so "- { name: recordings, deletions: both }" is complete. A fifth
# one: "- { name: agi, path: /var/lib/xivo/agi-bin }"; one of the four left out: "- { name: moh, enabled: false }".
#   direction  to-mds (Main to MDS) or both
#   deletions  main (removing on Main removes everywhere), both (so does removing on an MDS; only with
#              direction: both) or never (nothing is ever removed)
#   reload     dialplan, moh or none
#   lint       block (a broken dialplan file stops the change), warn or off
#   exclude    patterns as in a .gitignore file: such names are left alone on both sides. They are added to .DS_Store,
#              Thumbs.db and lost+found, and with reload: dialplan to what editors and packages leave behind (*~ *.bak
#              *.orig *.rej *.save *.dpkg-* *.rpm* .*.sw? \\#*# 4913); "!*.bak" includes one of them again
#   settle     as above
#   maxBytes   with direction: both, MDS may add no more once it holds this, such as 20GiB, and each may put as much
#              again into its trash; no limit if left out
#directories:
#  - name: dialplan
#    path: /etc/asterisk/extensions_extra.d
#    direction: to-mds
#    deletions: main
#    reload: dialplan
#    lint: block
#  - name: moh
#    path: /var/lib/xivo/moh
#    direction: to-mds
#    deletions: main
#    reload: moh
#  - name: sounds
#    path: /var/lib/xivo/sounds
#    direction: to-mds
#    deletions: main
#    reload: none
#  - name: recordings
#    path: /var/lib/xivo/sounds/recordings
#    direction: both
#    deletions: main
#    reload: none
#    settle: 2s

# How long replaced and removed files can be brought back, and how much disk Main's copies of all delivered files may
# take for that (where the file system shares blocks between copies, they take none).
#trash:
#  keep: 30d
#  budget: 4GiB

# A pass that would remove more than both of a directory waits for "xivo-xds-sync confirm".
#guard:
#  percent: 25
#  files: 10

# Disk space that stays free.
#reserve: 64MiB

# Lifetime of an agent's certificate. It is renewed automatically between 50 and 80 % of that.
#certificates:
#  life: 90d

# Where the list of MDS comes from: enrolled (those that joined), postgres or http (XiVO's own list).
#   url        of the database (postgres) or of the list (http)
#   query      with postgres: the SQL that gives the names
#   token      with http: sent as X-Auth-Token
#mediaServers:
#  source: enrolled

# MDS that get a change first; the others follow when it is active there.
#canary: []

# The most that all MDS together send and receive in a second: "20Mbit", 2MiB, or for a part of the day
# { limit: 20Mbit, hours: "08:00-18:00", mds: { mds1: { limit: 4Mbit } } }. 0 is no limit. The dialplan never waits.
#bandwidth: 0

# The status page, read-only, for a browser on this host or behind nginx (docs/page.md), and the same figures for Prometheus
# at /metrics: both on 127.0.0.1:9444 unless named otherwise, such as { listen: 10.0.0.1:9445 } for metrics; { enabled: false }
# leaves one out.
#page: {}
#metrics: {}

# What is called when a condition begins or ends: a command (JSON on standard input, fields as XDS_... in the
# environment) or a url (JSON by POST). "on" names the conditions; all of them if left out.
#notify: []
`;
}

/** The text of a new agent.yml, in the manner of {@link controllerConfigText}. */
export function agentConfigText(
  given: {
    readonly main?: HostPort;
    readonly name?: string;
    readonly localAddress?: string;
  } = {},
): string {
  return `# XiVO XDS file synchronisation, on an MDS. Every key is optional; the values shown are the defaults.
# What is synchronised, and how, is configured on Main.
# After it are read, in order, the files agent.d/*.yml beside it. After a change:
# xivo-xds-sync-agent check-config && systemctl reload xivo-xds-sync-agent

# Main's address, HOST or HOST:PORT (9443). An IPv6 address needs quotes: "[fd00::1]:9443"
${keyLine('main', given.main && formatHostPort(given.main), undefined)}

# This server's name on Main; the host's name if left out.
${keyLine('name', given.name, undefined)}

# The VoIP IP to connect from; the system chooses if left out.
${keyLine('localAddress', given.localAddress, undefined)}

# The command that gets "-rx 'dialplan reload'": one line, or a list of words.
#asterisk: /usr/sbin/asterisk

# The most that this server receives and sends in a second, such as 10MiB or 20Mbit, or for a part of the day:
# { limit: 20Mbit, hours: "08:00-18:00" }. 0 is no limit. The dialplan never waits.
#bandwidth: 0

# Main says which directories there are and where they lie. One that lies elsewhere on this server:
# directories: [{ name: moh, path: /srv/moh }]

# The folders within which Main may say so. A list given here replaces this one.
#allow:
#  - /etc/asterisk
#  - /var/lib/xivo
#  - /var/lib/asterisk
#  - /usr/share/asterisk/agi-bin

# How long replaced and removed files can be brought back.
#trash:
#  keep: 30d

# Disk space that stays free.
#reserve: 64MiB
`;
}

function keyLine(key: string, value: string | undefined, standard: string | undefined): string {
  // JSON's quotes are YAML's too, and keep a name such as 10 or an address such as [::]:9443 text.
  if (value !== undefined) return `${key}: ${JSON.stringify(value)}`;
  return standard === undefined ? `# ${key}:` : `#${key}: ${standard}`;
}
