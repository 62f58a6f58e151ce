import type { CommandHelp, Described } from './commands.ts';

/** What the manual says beyond each command's help. */
const FILES: Readonly<Record<string, readonly Described[]>> = {
  'xivo-xds-sync': [
    { term: '/etc/xivo-xds-sync/controller.yml', text: 'configuration; every key is shown with its default' },
    { term: '/var/lib/xivo-xds-sync/', text: "Main's key and state" },
    { term: '/usr/share/xivo-certs/xivo-xds-sync.crt', text: "Main's certificate, for everyone to read" },
  ],
  'xivo-xds-sync-agent': [
    { term: '/etc/xivo-xds-sync/agent.yml', text: 'configuration; every key is shown with its default' },
    { term: '/var/lib/xivo-xds-sync/', text: "this server's key and state" },
    { term: '/usr/share/xivo-xds-sync-agent/mds_install.sh', text: 'makes this host an MDS of a Main' },
  ],
};

const EXIT_STATUS: readonly Described[] = [
  { term: '0', text: 'done, and everything converged' },
  { term: '1', text: 'done, but something failed or an MDS is behind: its name is printed' },
  { term: '2', text: 'wrong usage or configuration: the option, or file, line and key, is printed' },
  { term: '3', text: 'the daemon does not run: how to start it is printed' },
];

/** The manual page of a program, section 8, in man(7) macros. @param builtAt seconds since 1970 */
export function manPage(program: CommandHelp, version: string, builtAt: number): string {
  const [name = ''] = program.words;
  const other = name === 'xivo-xds-sync' ? 'xivo-xds-sync-agent' : 'xivo-xds-sync';
  const day = new Date(builtAt * 1000).toISOString().slice(0, 10);
  return [
    `.TH ${name.toUpperCase()} 8 ${day} "${name} ${version}" "XiVO XDS file synchronisation"`,
    '.SH NAME',
    `${roff(name)} \\- ${roff(program.summary.replace(/\.$/, ''))}`,
    '.SH SYNOPSIS',
    `.B ${roff(name)}\n${roff(program.usage.slice(name.length).trim())}`,
    '.SH OPTIONS',
    ...program.options.map(entry),
    '.SH COMMANDS',
    ...program.commands.flatMap(commandEntries),
    '.SH FILES',
    ...(FILES[name] ?? []).map(entry),
    '.SH EXIT STATUS',
    ...EXIT_STATUS.map(entry),
    '.SH LOGS',
    'Every line in syslog carries the tag',
    '.BR xivo\\-xds\\-sync .',
    '.SH SEE ALSO',
    `.BR ${roff(other)} (8)`,
    '',
  ].join('\n');
}

function commandEntries(command: CommandHelp): string[] {
  const own = command.options.filter(({ term }) => !term.startsWith('-h, --help'));
  if (command.commands.length > 0) return command.commands.flatMap(commandEntries);
  const words = command.words.slice(1).join(' ');
  const rest = command.usage.slice(command.words.join(' ').length).trim();
  return [
    '.TP',
    `\\fB${roff(words)}\\fR ${roff(rest)}`,
    roff(command.summary),
    ...(own.length === 0 ? [] : ['.RS', ...own.map(entry), '.RE']),
  ];
}

function entry({ term, text }: Described): string {
  return `.TP\n\\fB${roff(term)}\\fR\n${roff(text)}`;
}

/** A line of text as roff takes it: no line begins with a control character, and a hyphen is what is typed. */
function roff(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^(?=[.'])/, '\\&');
}
