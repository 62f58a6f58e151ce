import type { CommandHelp, Described } from './commands.ts';

/** What the manual says beyond each command's help. */
const ABOUT: Readonly<
  Record<string, { readonly description: readonly string[]; readonly files: Described[] }>
> = {
  'xivo-xds-sync': {
    description: [
      'Keeps dialplan, music on hold, sounds and recordings equal on Main and on every media server (MDS) of a XiVO. The controller ("serve", run by systemd) watches Main\'s directories; an agent on each MDS keeps one connection to it. A change on Main reaches every MDS and is active in its Asterisk within a fraction of a second; every 15 minutes all files are compared.',
      'Without a command, every MDS is synchronised now. Most commands need the running controller. A path is absolute, or the name of a directory followed by a path in it, such as "moh/default/a.wav".',
    ],
    files: [
      {
        term: '/etc/xivo-xds-sync/controller.yml',
        text: 'configuration; every key is shown with its default',
      },
      { term: '/etc/xivo-xds-sync/controller.d/*.yml', text: 'read after it, in order' },
      { term: '/var/lib/xivo-xds-sync/', text: "Main's key and state" },
      { term: '/usr/share/xivo-certs/xivo-xds-sync.crt', text: "Main's certificate, readable by all users" },
      { term: '/run/xivo-xds-sync/controller.sock', text: 'control socket of the controller, for root' },
      {
        term: '/run/xivo-xds-sync/status.sock',
        text: 'the same for "status" only, for the monitoring group',
      },
      { term: '/usr/share/doc/xivo-xds-sync/', text: 'guide, operations, security, protocol, JSON schemas' },
    ],
  },
  'xivo-xds-sync-agent': {
    description: [
      'Makes this host a media server (MDS) of a Main, and keeps its files equal to Main\'s: dialplan, music on hold, sounds and recordings. The agent ("run", run by systemd) keeps one connection to Main; nothing listens on this host.',
    ],
    files: [
      { term: '/etc/xivo-xds-sync/agent.yml', text: 'configuration; every key is shown with its default' },
      { term: '/etc/xivo-xds-sync/agent.d/*.yml', text: 'read after it, in order' },
      { term: '/var/lib/xivo-xds-sync/', text: "this server's key and state" },
      { term: '/run/xivo-xds-sync/agent.sock', text: 'control socket of the agent, for root' },
      { term: '/usr/share/xivo-xds-sync-agent/mds_install.sh', text: 'enrols this host as an MDS of Main' },
      {
        term: '/usr/share/doc/xivo-xds-sync-agent/',
        text: 'guide, operations, security, protocol, JSON schemas',
      },
    ],
  },
};

const ENVIRONMENT: readonly Described[] = [
  { term: 'XDS_ROOT', text: 'the same as --root' },
  { term: 'NO_COLOR', text: 'not empty: no colours, also on a terminal' },
  { term: 'TERM', text: 'dumb: no colours, and no lines that are redrawn' },
  { term: 'TZ', text: 'the zone of the times that are shown; JSON has UTC' },
];

const EXIT_STATUS: readonly Described[] = [
  { term: '0', text: 'success, everything is in sync' },
  { term: '1', text: 'something failed, or an MDS is behind; its name is printed' },
  { term: '2', text: 'wrong usage or configuration; the option, or file, line and key, is printed' },
  { term: '3', text: 'the daemon is not running; the command that starts it is printed' },
];

/** The manual page of a program, section 8, in man(7) macros. @param builtAt seconds since 1970 */
export function manPage(program: CommandHelp, version: string, builtAt: number): string {
  const [name = ''] = program.words;
  const other = name === 'xivo-xds-sync' ? 'xivo-xds-sync-agent' : 'xivo-xds-sync';
  const day = new Date(builtAt * 1000).toISOString().slice(0, 10);
  const about = ABOUT[name];
  return [
    `.TH ${name.toUpperCase()} 8 ${day} "${name} ${version}" "XiVO XDS file synchronisation"`,
    // Commands are there to be copied: no word is divided, no blank is widened.
    '.nh',
    '.ad l',
    '.SH NAME',
    `${roff(name)} \\- ${roff(program.summary.replace(/\.$/, ''))}`,
    '.SH SYNOPSIS',
    `.B ${roff(name)}\n${roff(program.usage)}`,
    '.SH DESCRIPTION',
    ...(about?.description ?? []).flatMap((paragraph) => ['.PP', roff(paragraph)]),
    '.SH OPTIONS',
    ...program.options.map(entry),
    entry({ term: '-h, --help', text: 'print what a command does, with its options and examples' }),
    '.SH COMMANDS',
    ...program.commands.flatMap(commandSection),
    '.SH EXAMPLES',
    ...program.examples.map(example),
    '.SH FILES',
    ...(about?.files ?? []).map(entry),
    '.SH ENVIRONMENT',
    ...ENVIRONMENT.map(entry),
    '.SH EXIT STATUS',
    ...EXIT_STATUS.map(entry),
    ...(name === 'xivo-xds-sync'
      ? [
          '.PP',
          roff('"status --check" ends as monitoring plugins do: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN.'),
        ]
      : []),
    '.SH LOGS',
    'Every line in syslog carries the tag',
    '.BR xivo\\-xds\\-sync .',
    '.SH SEE ALSO',
    `.BR ${roff(other)} (8)`,
    '',
  ].join('\n');
}

function commandSection(command: CommandHelp): string[] {
  if (command.commands.length > 0) return command.commands.flatMap(commandSection);
  const words = command.words.slice(1).join(' ');
  return [
    `.SS "${roff(`${words} ${command.usage}`.trim())}"`,
    roff(`${command.summary.charAt(0).toUpperCase()}${command.summary.slice(1)}.`),
    ...command.options.map(entry),
    ...(command.examples.length === 0 ? [] : ['.PP', 'Examples:', ...command.examples.map(example)]),
  ];
}

function entry({ term, text }: Described): string {
  return `.TP\n\\fB${roff(term)}\\fR\n${roff(text)}`;
}

function example([line, does]: readonly [string, string]): string {
  return `.TP\n\\fB${roff(line)}\\fR\n${roff(does)}`;
}

/** A line of text as roff takes it: no line begins with a control character, and a hyphen is what is typed. */
function roff(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('"', '\\(dq')
    .replace(/^(?=[.'])/, '\\&');
}
