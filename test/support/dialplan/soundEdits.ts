import type { Edit, Files } from './randomEdits.ts';

/**
 * What a careful person does to a dialplan folder. Each edit is sound if the folder is, so that a verdict that blocks too much is
 * as likely to be found as one that lets too much through.
 */
export class SoundEdits {
  readonly #random: () => number;
  readonly #folder: string;
  /** Makes the names of each edit its own. */
  #number = 0;

  /**
   * @param random gives numbers from 0 up to 1
   * @param folder how includes name the folder
   */
  constructor(random: () => number, folder: string) {
    this.#random = random;
    this.#folder = folder;
  }

  /** @param names the files that may be edited, at least one */
  edit(files: Files, names: readonly string[]): Edit {
    const number = ++this.#number;
    const file = this.#of(names);
    const text = files.get(file) ?? '';
    const more = (added: string): Edit => new Map([[file, text + lineEnd(text) + added]]);
    const edits: readonly (() => Edit)[] = [
      () => more(`[new${number}]\nexten => 4${number},1,NoOp(new)\n same => n(l),NoOp(more)\n`),
      () => more(`[new${number}]\nexten => 4${number},hint,SIP/4\nexten => 4${number},1,Dial(SIP/4)\n`),
      () => this.#section(files, file, `exten => 4${number},1,NoOp(new)\n same => n,Goto(1)\n`),
      () => this.#addition(files, number),
      () => this.#template(files, number),
      () => this.#global(files, number),
      () => this.#include(file, text, number),
      () => this.#split(file, text, number),
      () => this.#inline(files),
      () => this.#move(files, file),
      () => this.#renamed(file, text, number),
      () => this.#otherApplication(file, text),
      () => this.#comment(file, text, number),
    ];
    return this.#of(edits)();
  }

  /** Extensions at the end of a section that is there. */
  #section(files: Files, file: string, added: string): Edit {
    const lines = (files.get(file) ?? '').split('\n');
    const headers = lines.flatMap((line, i) => (isSection(line) ? [i] : []));
    if (headers.length === 0) return new Map();
    const at = this.#of(headers);
    const end = headers.find((each) => each > at) ?? lines.length;
    lines.splice(end, 0, ...added.trimEnd().split('\n'));
    return new Map([[file, lines.join('\n')]]);
  }

  /** More for a section of an earlier file, by `(+)`. */
  #addition(files: Files, number: number): Edit {
    const names = topLevel(files);
    const from = this.#of(names);
    const section = /^\[([^\]]+)\](?!\(.*!)/m.exec(files.get(from) ?? '')?.[1];
    if (section === undefined) return new Map();
    const to = names[names.indexOf(from) + 1] ?? from;
    const text = files.get(to) ?? '';
    return new Map([[to, `${text}${lineEnd(text)}[${section}](+)\nexten => 5${number},1,NoOp(more)\n`]]);
  }

  /** A template in one file and its user in another one, which come together. */
  #template(files: Files, number: number): Edit {
    const template = `[tpl${number}](!)\nexten => 71${number},1,NoOp(by template)\n`;
    const user = `[use${number}](tpl${number})\nexten => 72${number},1,NoOp(user)\n`;
    return this.#pair(files, template, user);
  }

  #global(files: Files, number: number): Edit {
    const global = `[globals]\nV${number} = 73${number}\n`;
    return this.#pair(files, global, `[by${number}]\nexten => \${V${number}},1,NoOp(\${V${number}})\n`);
  }

  /** Two pieces, the first one in an earlier file or before the second one in the same file. */
  #pair(files: Files, first: string, second: string): Edit {
    const names = topLevel(files);
    const at = Math.floor(this.#random() * names.length);
    const [from = '', to] = [names[at], this.#of(names.slice(at))];
    const text = files.get(from) ?? '';
    if (from === to) return new Map([[from, text + lineEnd(text) + first + second]]);
    const other = files.get(to) ?? '';
    return new Map([
      [from, text + lineEnd(text) + first],
      [to, other + lineEnd(other) + second],
    ]);
  }

  /** A new file, and the one that includes it. */
  #include(file: string, text: string, number: number): Edit {
    const part = `parts/n${number}.inc`;
    const lines = `exten => 6${number},1,NoOp(a)\n${this.#line(part)}\n same => n,NoOp(end)\n`;
    return new Map([
      [part, ' same => n,NoOp(included)\n same => n(l),NoOp(label)\n'],
      [file, `${text}${lineEnd(text)}[inc${number}]\n${lines}`],
    ]);
  }

  /** The end of a file goes into one that it includes. */
  #split(file: string, text: string, number: number): Edit {
    const lines = text.split('\n');
    const at = Math.floor(this.#random() * lines.length);
    const part = `parts/n${number}.inc`;
    return new Map([
      [part, lines.slice(at).join('\n')],
      [file, [...lines.slice(0, at), this.#line(part), ''].join('\n')],
    ]);
  }

  /** The text of an included file goes where its include was, and the file goes if nothing else includes it. */
  #inline(files: Files): Edit {
    for (const [file, text] of files) {
      const [line, part] = /^#(?:try)?include "[^"]*\/(parts\/n\d+\.inc)"$/m.exec(text) ?? [];
      const content = part === undefined ? undefined : files.get(part);
      if (line === undefined || part === undefined || content === undefined) continue;
      const users = [...files.values()].join('\n').split(part).length - 1;
      const inlined = text.replace(line, () => content);
      return new Map([[file, inlined], ...(users === 1 ? [[part, undefined] as const] : [])]);
    }
    return new Map();
  }

  /** A section goes from one file to the end of another one. */
  #move(files: Files, file: string): Edit {
    const lines = (files.get(file) ?? '').split('\n');
    const at = lines.findIndex((line) => /^\[(?:new|inc|by|use)\d+\]/.test(line));
    if (at < 0) return new Map();
    const next = lines.findIndex((line, i) => i > at && line.startsWith('['));
    const moved = lines.splice(at, (next < 0 ? lines.length : next) - at).join('\n');
    const others = topLevel(files).filter((name) => name !== file);
    if (others.length === 0) return new Map();
    const to = this.#of(others);
    const text = files.get(to) ?? '';
    return new Map([
      [file, lines.join('\n')],
      [to, `${text}${lineEnd(text)}${moved}\n`],
    ]);
  }

  /** Another name at nearly the same place. */
  #renamed(file: string, text: string, number: number): Edit {
    if (file.includes('/') || file.startsWith('.')) return new Map();
    return new Map([
      [file, undefined],
      [`${file.replace(/-r\d+$/, '')}-r${number}`, text],
    ]);
  }

  #otherApplication(file: string, text: string): Edit {
    return new Map([[file, text.replace(/NoOp\(\w*\)$/m, 'Verbose(other)')]]);
  }

  #comment(file: string, text: string, number: number): Edit {
    return new Map([[file, `; change ${number}\n${text}`]]);
  }

  #line(part: string): string {
    return `${this.#random() < 0.8 ? '#include' : '#tryinclude'} "${this.#folder}/${part}"`;
  }

  #of<T>(choices: readonly T[]): T {
    const chosen = choices[Math.floor(this.#random() * choices.length)];
    if (chosen === undefined) throw new Error('nothing to choose from');
    return chosen;
  }
}

function lineEnd(text: string): string {
  return text === '' || text.endsWith('\n') ? '' : '\n';
}

function isSection(line: string): boolean {
  return /^\[(?!globals)[^\]]+\]/.test(line);
}

/** What Asterisk reads by itself, in its order. */
function topLevel(files: Files): string[] {
  return [...files.keys()].filter((name) => !name.includes('/') && !name.startsWith('.')).sort();
}
