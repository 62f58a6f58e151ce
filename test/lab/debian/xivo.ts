import type { Machine } from './machine.ts';

/** What Asterisk's configuration is on a XiVO, as far as the dialplan, music on hold and the log go. */
const CONFIGURATION: Readonly<Record<string, string>> = {
  // "asterisk -rx" is subject to this, too: each asks for high priority.
  'asterisk.conf': `[directories]
astetcdir => /etc/asterisk
astmoddir => /usr/lib/asterisk/modules
astvarlibdir => /var/lib/asterisk
astagidir => /usr/share/asterisk/agi-bin
astspooldir => /var/spool/asterisk
astrundir => /var/run/asterisk
astlogdir => /var/log/asterisk
astdatadir => /usr/share/asterisk

[options]
verbose = 5
timestamp = yes
highpriority = yes
quiet = yes
execincludes = yes
`,
  'logger.conf': `[logfiles]
full => notice,warning,error,verbose
`,
  'extensions.conf': `#include extensions.d/*
`,
  'extensions.d/01-xivo.conf': `[general]
static = yes
writeprotect = yes

[before-the-folder]
exten = s,1,NoOp()

#include extensions_extra.d/*.conf
`,
  // Comes with every XiVO, so that the folder is never empty.
  'extensions_extra.d/example.conf': `[example]
exten = s,1,NoOp()
`,
  // What a program prints is never taken for unchanged: so a class is found also when its folder was empty at first.
  'musiconhold.conf': `#exec /bin/cat /etc/asterisk/musiconhold.generated
`,
  'musiconhold.generated': `[default]
mode = files
directory = /var/lib/asterisk/moh/default
`,
};

/** Makes a Debian's folders what a XiVO's are: asterisk's, setgid, and two of the synchronised four behind links. */
export function becomeXivo(machine: Machine): void {
  machine.ok(`
    id asterisk >/dev/null 2>&1 || useradd --system --user-group asterisk
    rmdir /var/lib/xivo/moh /var/lib/xivo/sounds/recordings
    mkdir -p /var/lib/asterisk/moh/default /var/lib/asterisk/sounds/custom
    ln -s /var/lib/asterisk/moh /var/lib/xivo/moh
    ln -s /var/lib/asterisk/sounds/custom /var/lib/xivo/sounds/recordings
    ${handOver}`);
}

/** Gives the Asterisk of a Debian the configuration of a XiVO's, and starts it with that. */
export function configureAsterisk(mds: Machine): void {
  for (const [name, text] of Object.entries(CONFIGURATION)) mds.write(`/etc/asterisk/${name}`, text);
  mds.ok(`${handOver}; systemctl restart asterisk`);
}

/** As XiVO's xivo-fix-paths-rights does, which runs at its upgrades. */
export const handOver = `
  own='/etc/asterisk /var/lib/asterisk /var/lib/xivo'
  chown -R asterisk:www-data $own
  find $own -type d -exec chmod 2775 {} +
  find $own -type f -exec chmod 660 {} +`;
