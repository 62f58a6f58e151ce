import type { CommandHelp } from './commands.ts';

/** Completion for bash: commands and options, and file names after what takes one. */
export function bashCompletion(program: CommandHelp): string {
  const [name = ''] = program.words;
  const all = everyCommand(program);
  const cases = all.map((command) => {
    const words = [...command.commands.flatMap(({ words: [...w] }) => w.slice(-1)), ...optionsOf(command)];
    return `    '${command.words.slice(1).join(' ')}') words='${words.join(' ')}' ;;`;
  });
  const known = all
    .map(({ words }) => words.slice(1).join(' '))
    .filter((words) => words !== '')
    .map((words) => `'${words}'`);
  const fn = `_${name.replaceAll('-', '_')}`;
  return `# bash completion for ${name}
${fn}() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD - 1]} path='' words='' i word
  COMPREPLY=()
  case $previous in
    --config | --root | --token-file) COMPREPLY=($(compgen -f -- "$current")); return ;;
  esac
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    case "\${path:+$path }$word" in
      ${known.join(' | ')}) path="\${path:+$path }$word" ;;
    esac
  done
  case $path in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -F ${fn} ${name}
`;
}

function everyCommand(command: CommandHelp): CommandHelp[] {
  return [command, ...command.commands.flatMap(everyCommand)];
}

function optionsOf({ options }: CommandHelp): string[] {
  return options.flatMap(({ term }) => term.match(/--[a-z-]+/g) ?? []);
}
