import { join } from 'node:path';

/** The folders of one Asterisk, all under its own folder unless another is named. */
export type InstanceFolders = {
  /** Holds everything that belongs to this instance. */
  readonly folder: string;
  /** Its extensions_extra.d. */
  readonly dialplan: string;
  /** Its music on hold. */
  readonly moh: string;
};

/** The sub-folders that Asterisk writes into or reads from. */
export const OWN_FOLDERS = ['etc', 'run', 'log', 'spool', 'db', 'keys'] as const;

/** A configuration with dialplan, music on hold and a log, and nothing that listens on a network. */
export function configurationFiles(folders: InstanceFolders, root: string): Record<string, string> {
  const own = (name: (typeof OWN_FOLDERS)[number]): string => join(folders.folder, name);
  return {
    'asterisk.conf': `[directories]
astetcdir => ${own('etc')}
astrundir => ${own('run')}
astlogdir => ${own('log')}
astspooldir => ${own('spool')}
astdbdir => ${own('db')}
astvarlibdir => ${own('db')}
astkeydir => ${own('keys')}
astcachedir => ${own('run')}
astagidir => ${own('db')}
astmoddir => ${join(root, 'usr/lib/asterisk/modules')}
astdatadir => ${join(root, 'usr/share/asterisk')}
`,
    'modules.conf': `[modules]
autoload = no
load = format_wav.so
load = format_gsm.so
load = format_pcm.so
load = res_musiconhold.so
load = pbx_config.so
`,
    // By default, messages are discarded while 1,000 others wait; a test compares with all of them.
    'logger.conf': `[general]
logger_queue_limit = 100000

[logfiles]
messages => notice,warning,error
`,
    // XiVO includes the folder without a suffix: every file that is not hidden is dialplan.
    'extensions.conf': `[general]
static = yes
writeprotect = yes

#include "${folders.dialplan}/*"

[after-the-folder]
exten => s,1,NoOp(extensions.conf goes on)
`,
    'musiconhold.conf': `[default]
mode = files
directory = ${folders.moh}
`,
  };
}
