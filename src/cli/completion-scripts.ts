/** What stands after a flag or a command: nothing, anything, a file, a folder, or one of a few words. */
export type Value = 'nothing' | 'anything' | 'file' | 'folder' | readonly string[];

/** A flag that can be completed. */
export interface Flag {
  readonly short: string | undefined;
  readonly long: string;
  readonly description: string;
  readonly value: Value;
  /** True when it may be given again. */
  readonly isCount: boolean;
}

/** A command that can be completed. */
export interface Completed {
  /** `run` for what needs no name. */
  readonly name: string;
  readonly description: string;
  readonly flags: readonly Flag[];
  readonly operand: Value;
}

/** Completion for bash, from version 3.2 on. */
export function bashScript(commands: readonly Completed[]): string {
  const values = everyFlag(commands)
    .filter(({ value }) => value !== 'nothing')
    .map((flag) => `    ${wordsOf(flag).join('|')}) ${bashValue(flag.value)}; return ;;`);
  const [run, ...others] = commands.map(({ name, flags, operand }) => {
    const words = quoted(flags.flatMap(wordsOf).join(' '));
    return `    ${name === 'run' ? '*' : name}) _mrun_either ${words} ${bashValue(operand)} ;;`;
  });
  return `# source <(mrun completion bash)
_mrun_words() {
  local word
  for word in $(compgen -W "$1" -- "\${COMP_WORDS[COMP_CWORD]}"); do COMPREPLY+=("$word"); done
}
_mrun_paths() {
  local found
  compopt -o filenames 2>/dev/null
  while IFS= read -r found; do
    COMPREPLY+=("$found")
  done < <(compgen "$1" -- "\${COMP_WORDS[COMP_CWORD]}")
}
_mrun_either() {
  if [[ \${COMP_WORDS[COMP_CWORD]} == -* ]]; then
    _mrun_words "$1"
  else
    shift
    "$@"
  fi
}
_mrun() {
  COMPREPLY=()
  case \${COMP_WORDS[COMP_CWORD-1]} in
${values.join('\n')}
  esac
  if (( COMP_CWORD == 1 )); then _mrun_words ${quoted(namesOf(commands).join(' '))}; fi
  case \${COMP_WORDS[1]} in
${[...others, run].join('\n')}
  esac
}
complete -F _mrun mrun
`;
}

function bashValue(value: Value): string {
  if (value === 'file') return '_mrun_paths -f';
  if (value === 'folder') return '_mrun_paths -d';
  return typeof value === 'string' ? ':' : `_mrun_words ${quoted(value.join(' '))}`;
}

/** Completion for zsh, to be sourced or to be found in `$fpath` as `_mrun`. */
export function zshScript(commands: readonly Completed[]): string {
  const described = commands
    .filter(({ name }) => name !== 'run')
    .map(({ name, description }) => `    ${quoted(`${name}:${description}`)}`);
  const [run, ...others] = commands.map(({ name, flags, operand }) => {
    const specs = [...flags.flatMap(zshFlag), `'*:${name}:${zshAction(operand)}'`];
    return `    ${name === 'run' ? '*' : name}) _arguments -s ${specs.join(' ')} ;;`;
  });
  return `#compdef mrun
# source <(mrun completion zsh)
_mrun() {
  local -a commands=(
${described.join('\n')}
  )
  if (( CURRENT == 2 )) && [[ $words[2] != -* ]]; then
    _describe command commands
    _files
    return
  fi
  local command=$words[2]
  if (( $commands[(I)$command:*] )); then
    shift words
    (( CURRENT-- ))
  fi
  case $command in
${[...others, run].join('\n')}
  esac
}
if [[ $funcstack[1] == _mrun ]]; then _mrun "$@"; else compdef _mrun mrun; fi
`;
}

function zshFlag(flag: Flag): string[] {
  const words = wordsOf(flag);
  const repeated = flag.isCount ? '*' : words.length > 1 ? `(${words.join(' ')})` : '';
  const text = flag.description.replace(/[[\]:\\]/g, '\\$&');
  const value = flag.value === 'nothing' ? '' : `:value:${zshAction(flag.value)}`;
  return words.map((word) => quoted(`${repeated}${word}[${text}]${value}`));
}

function zshAction(value: Value): string {
  if (value === 'file') return '_files';
  if (value === 'folder') return '_files -/';
  return typeof value === 'string' ? ' ' : `(${value.join(' ')})`;
}

/** Completion for fish. */
export function fishScript(commands: readonly Completed[]): string {
  const names = namesOf(commands).join(' ');
  const lines = commands.flatMap(({ name, description, flags, operand }) => {
    const isFirst = `not __fish_seen_subcommand_from ${names}`;
    const when = name === 'run' ? isFirst : `__fish_seen_subcommand_from ${name}`;
    return [
      ...(name === 'run' ? [] : [['-n', quoted(isFirst), '-a', name, '-d', quoted(description)]]),
      ...flags.map((flag) => ['-n', quoted(when), ...fishFlag(flag)]),
      ...(operand === 'file' ? [] : [['-n', quoted(when), ...fishValue(operand)]]),
    ];
  });
  const script = lines.map((words) => ['complete', '-c', 'mrun', ...words].join(' '));
  return `# mrun completion fish | source\n${script.join('\n')}\n`;
}

function fishFlag({ short, long, description, value }: Flag): string[] {
  return [
    ...(short === undefined ? [] : ['-s', short.slice(1)]),
    ...['-l', long.slice(2), '-d', quoted(description)],
    ...(value === 'nothing' ? [] : fishValue(value)),
  ];
}

function fishValue(value: Value): string[] {
  if (value === 'file') return ['-r', '-F'];
  if (value === 'folder') return ['-x', '-a', "'(__fish_complete_directories)'"];
  return typeof value === 'string' ? ['-x'] : ['-x', '-a', quoted(value.join(' '))];
}

/** Each flag once, although several commands have it. */
function everyFlag(commands: readonly Completed[]): Flag[] {
  const flags = commands.flatMap((command) => command.flags);
  return [...new Map(flags.map((flag) => [flag.long, flag])).values()];
}

function namesOf(commands: readonly Completed[]): string[] {
  return commands.map(({ name }) => name).filter((name) => name !== 'run');
}

function wordsOf({ short, long }: Flag): string[] {
  return short === undefined ? [long] : [short, long];
}

/** All three shells end a quoted text for a quote that stands in it. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
