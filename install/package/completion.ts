import type { CommandHelp, OptionHelp, Takes } from './commands.ts';

/** Completion for bash: commands, options, and what each takes: MDS, directories, paths, change sets, files. */
export function bashCompletion(program: CommandHelp): string {
  const [name = ''] = program.words;
  const all = everyCommand(program);
  const cases = all.map((command) => {
    const words = [
      ...command.commands.flatMap(({ words: [...w] }) => w.slice(-1)),
      ...command.options.flatMap(({ names }) => names).filter((each) => each.startsWith('--')),
      '--help',
    ];
    return `    '${wordsOf(command)}') words='${words.join(' ')}' takes=(${command.takes.join(' ')}) ;;`;
  });
  const known = all.map(wordsOf).filter((words) => words !== '');
  const options = new Map(all.flatMap(({ options }) => options).map((option) => [option.term, option]));
  const fn = `_${name.replaceAll('-', '_')}`;
  return `# bash completion for ${name}
${fn}_offer() {
  local line
  case $1 in
    words) mapfile -t COMPREPLY < <(compgen -W "$2" -- "$3"); return ;;
    file) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- "$3"); return ;;
    text) return ;;
    path)
      if [[ $3 == /* ]]; then ${fn}_offer file '' "$3"; return; fi
      compopt -o nospace 2>/dev/null ;;
  esac
  while IFS= read -r line; do
    [[ $line == "$3"* ]] && COMPREPLY+=("$(printf '%q' "$line")")
  done < <("\${COMP_WORDS[0]}" complete "$1" -- "$3" 2>/dev/null)
}
${fn}() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD - 1]} path='' words='' i word place=0
  local -a takes=()
  COMPREPLY=()
  case $previous in
${valueCases([...options.values()], fn)}
  esac
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    case $word in
      ${valued([...options.values()]).join(' | ')}) i=$((i + 1)); continue ;;
      -*) continue ;;
    esac
    case "\${path:+$path }$word" in
      ${known.map((words) => `'${words}'`).join(' | ')}) path="\${path:+$path }$word" ;;
      *) place=$((place + 1)) ;;
    esac
  done
  case $path in
${cases.join('\n')}
  esac
  if [[ $current != -* && -n \${takes[place]:-} ]]; then ${fn}_offer "\${takes[place]}" '' "$current"; return; fi
  ${fn}_offer words "$words" "$current"
}
complete -F ${fn} ${name}
`;
}

function wordsOf({ words }: CommandHelp): string {
  return words.slice(1).join(' ');
}

/** What follows an option that takes a value. */
function valueCases(options: readonly OptionHelp[], fn: string): string {
  const byTakes = Map.groupBy(
    options.filter(({ takes }) => takes !== undefined),
    ({ takes }): Takes => takes ?? 'text',
  );
  return [...byTakes]
    .map(([takes, each]) => `    ${valued(each).join(' | ')}) ${fn}_offer ${takes} '' "$current"; return ;;`)
    .join('\n');
}

function valued(options: readonly OptionHelp[]): string[] {
  return [...new Set(options.filter(({ takes }) => takes !== undefined).flatMap(({ names }) => names))];
}

function everyCommand(command: CommandHelp): CommandHelp[] {
  return [command, ...command.commands.flatMap(everyCommand)];
}
