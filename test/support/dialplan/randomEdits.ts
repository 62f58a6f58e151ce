import { SoundEdits } from './soundEdits.ts';

/** A dialplan folder in memory, by paths below it. */
export type Files = ReadonlyMap<string, string>;

/** One thing that a person does to it. Undefined stands for a removal. */
export type Edit = ReadonlyMap<string, string | undefined>;

const TOP = ['00-tpl.conf', '10-a.conf', '20-b.conf', '50-site.conf', 'notes', '.hidden.inc'];
const PARTS = ['parts/x.inc', 'parts/y.inc', 'parts/deep/z.inc'];
/** Never edited: a folder without any file is no dialplan at all, and this one shows that Asterisk came to the end. */
const LAST = 'zz-last.conf';
/** How often a person does what keeps a sound folder sound. */
const SOUND = 0.5;
const NAMES = [...TOP, ...PARTS];
const CONTEXTS = ['a', 'b', 'c', 'site', 'A'];
const TEMPLATES = ['tpl', 'base'];

/**
 * No two ways to write one pattern: with those, an unknown label makes Asterisk 16.28 crash at the next reload
 * (`_[0-9],2`, then `same => nolabel`, then `_X,n`).
 */
const EXTENSIONS = [
  '1',
  '2',
  '3',
  '100',
  '12-34',
  '_X',
  '_N.',
  's',
  '1/5',
  '${NUM}',
  '100/${NUM}',
  '_${NUM}X',
];
const PRIORITIES = [
  '1',
  '1',
  '2',
  'n',
  'n',
  'n',
  'n(l)',
  '1(l)',
  '3(m)',
  'n+2',
  'l',
  'l+1',
  's',
  'hint',
  '${NUM}',
  'x',
  '',
];
const APPLICATIONS = [
  'NoOp(a)',
  'NoOp(b)',
  'NoOp',
  'Set(A=${B})',
  'Goto(l)',
  'SIP/1',
  'NoOp(a;b)',
  'NoOp(a\\;b)',
  '',
];

/** Makes random dialplan, half of it by sound edits. The same random numbers give the same edits. */
export class RandomEdits {
  readonly #random: () => number;
  readonly #folder: string;
  readonly #sound: SoundEdits;

  /**
   * @param random gives numbers from 0 up to 1
   * @param folder how includes name the folder
   */
  constructor(random: () => number, folder: string) {
    this.#random = random;
    this.#folder = folder;
    this.#sound = new SoundEdits(random, folder);
  }

  /** Something that uses all there is. */
  start(): Files {
    return new Map([
      [
        '00-tpl.conf',
        '[globals]\nNUM = 77\n[tpl](!)\nexten = 7,1,NoOp(tpl)\n[base](!,tpl)\nexten = 8,1,NoOp(base)\n',
      ],
      [
        '10-a.conf',
        `[a]\nexten = 100,1,NoOp(a)\n#include "${this.#folder}/parts/x.inc"\n same = n,NoOp(end)\n`,
      ],
      ['20-b.conf', '[b](base)\nexten = ${NUM},1,NoOp(b)\n same = n(l),NoOp(c)\n'],
      ['50-site.conf', '[site](tpl)\nexten = 2,1,NoOp(site)\n[a](+)\nexten = 200,1,NoOp(more)\n'],
      ['parts/x.inc', ' same = n,NoOp(included)\n'],
      [LAST, '[last]\nexten = 9,1,NoOp(the end)\n'],
    ]);
  }

  edit(files: Files): Edit {
    const roll = this.#random();
    const there = editable(files);
    if (there.length > 0 && this.isSo(SOUND)) return this.#sound.edit(files, there);
    if (roll < 0.1 && there.length > 2) return new Map([[this.#of(there), undefined]]);
    if (roll < 0.2 && there.length > 0) return this.#rename(files);
    if (roll < 0.45 || there.length === 0) return new Map([[this.#of(NAMES), this.#file()]]);
    if (roll < 0.55) return new Map([...this.#oneLine(files), ...this.#oneLine(files)]);
    return this.#oneLine(files);
  }

  /** True with this probability. */
  isSo(probability: number): boolean {
    return this.#random() < probability;
  }

  #rename(files: Files): Edit {
    const from = this.#of(editable(files));
    const to = this.#of(NAMES);
    return from === to
      ? new Map()
      : new Map([
          [from, undefined],
          [to, files.get(from)],
        ]);
  }

  /** A line more, less, or another one. */
  #oneLine(files: Files): Edit {
    const path = this.#of(editable(files));
    const lines = (files.get(path) ?? '').split('\n');
    const at = Math.floor(this.#random() * lines.length);
    const isMore = this.isSo(0.6);
    lines.splice(at, isMore ? 0 : 1, ...(isMore || this.isSo(0.5) ? [this.#line()] : []));
    return new Map([[path, lines.join('\n')]]);
  }

  #file(): string {
    const lines = Array.from({ length: Math.floor(this.#random() * 9) }, () => this.#line());
    const isHeaded = this.isSo(0.8);
    return [...(isHeaded ? [this.#header()] : []), ...lines].join('\n') + (this.isSo(0.8) ? '\n' : '');
  }

  #line(): string {
    const roll = this.#random();
    const application = this.#of(APPLICATIONS);
    if (roll < 0.34) return `exten => ${this.#of(EXTENSIONS)},${this.#of(PRIORITIES)},${application}`;
    if (roll < 0.6) return ` same = ${this.#of(PRIORITIES)},${application}`;
    if (roll < 0.76) return this.#header();
    if (roll < 0.88) return this.#include();
    return this.#other();
  }

  #header(): string {
    const context = this.#of(CONTEXTS);
    const template = this.#of(TEMPLATES);
    return this.#of([
      `[${context}]`,
      `[${context}]`,
      `[${context}](+)`,
      `[${context}](${template})`,
      `[${context}](${template},+)`,
      `[${context}](${this.#of(CONTEXTS)})`,
      `[${template}](!)`,
      `[${template}](!,${this.#of(TEMPLATES)})`,
      `[${template}](+)`,
      '[globals]',
    ]);
  }

  #include(): string {
    const word = this.#of(['#include', '#include', '#tryinclude']);
    const target = this.#of([
      ...PARTS,
      ...PARTS,
      '.hidden.inc',
      'parts/*.inc',
      'parts/[xy].inc',
      '10-a.conf',
      'missing.inc',
    ]);
    return this.#of([
      `${word} "${this.#folder}/${target}"`,
      `${word} <${this.#folder}/${target}>`,
      `${word} ${this.#folder}/${target}`,
    ]);
  }

  #other(): string {
    return this.#of([
      '; a comment',
      ';-- a block --;',
      ';--',
      '--;',
      'exten +=,x',
      'NUM = 5',
      'NUM=100',
      'include => b',
      'ignorepat => 9',
      'foo',
      'foo = bar',
      '',
      '[broken',
      '[broken](tpl',
      '\\',
      '#nothing',
      '#include',
    ]);
  }

  #of<T>(choices: readonly T[]): T {
    const chosen = choices[Math.floor(this.#random() * choices.length)];
    if (chosen === undefined) throw new Error('nothing to choose from');
    return chosen;
  }
}

function editable(files: Files): string[] {
  return [...files.keys()].filter((path) => path !== LAST);
}

/** The folder after an edit. */
export function edited(files: Files, edit: Edit): Files {
  const after = new Map(files);
  for (const [path, text] of edit) {
    if (text === undefined) after.delete(path);
    else after.set(path, text);
  }
  return after;
}
