import type { Cost } from './processCost.ts';
import { quantile, spread } from './spread.ts';

/** What was measured of one row in one run. */
export type Measured = {
  /** The columns of this scenario, in its unit. */
  readonly values: readonly number[];
  readonly cost?: Cost;
};

type Row = { readonly name: string; readonly runs: Map<number, Measured>; readonly failures: string[] };

export type Shape = {
  readonly title: string;
  readonly columns: readonly string[];
  /** Digits behind the point: of these columns, or of each. */
  readonly digits: number | readonly number[];
  readonly hasCost: boolean;
  /** What the ratio of the first columns is, if not that of times; `none` where only this program is measured. */
  readonly ratio?: string;
  readonly notes?: readonly string[];
};

/** The table of a first pass: seconds, and what they cost. */
export function firstPassTable(title: string, notes: readonly string[] = []): Results {
  return new Results({ title, columns: ['seconds'], digits: 2, hasCost: true, notes });
}

/** The results of one scenario, a row for each contestant. Ratios compare the first columns of the same run. */
export class Results {
  readonly #shape: Shape;
  readonly #rows = new Map<string, Row>();
  readonly #notes: string[];

  constructor(shape: Shape) {
    this.#shape = shape;
    this.#notes = [...(shape.notes ?? [])];
  }

  add(name: string, run: number, measured: Measured): void {
    this.#row(name).runs.set(run, measured);
  }

  /** Says something below the table. */
  note(text: string): void {
    this.#notes.push(text);
  }

  fail(name: string, run: number, error: Error): void {
    this.#row(name).failures.push(`run ${run}: ${error.message.trim().split('\n').join(' ')}`);
  }

  get isMeasured(): boolean {
    return this.#rows.size > 0;
  }

  get hasFailures(): boolean {
    return [...this.#rows.values()].some(({ failures }) => failures.length > 0);
  }

  /** @param base the row that all others are compared with */
  markdown(base: string): string {
    const { title, columns, hasCost, ratio = 'takes … times as long' } = this.#shape;
    const head = [
      '',
      ...columns,
      ...(ratio === 'none' ? [] : [`${base} ${ratio}`]),
      ...(hasCost ? ['CPU s', 'of which', 'peak MB'] : []),
    ];
    const rows = [...this.#rows.values()];
    const lines = [
      head,
      head.map((_, i) => (i === 0 ? '---' : '---:')),
      ...rows.map((row) => this.#cells(row, base)),
    ].map((cells) => `| ${cells.map(inCell).join(' | ')} |`);
    const failures = rows.flatMap(({ name, failures }) => failures.map((each) => `- ${name}: ${each}`));
    const table = rows.length === 0 ? [] : [...lines, ''];
    return [
      `### ${title}`,
      '',
      ...table,
      ...[...this.#notes, ...failures].flatMap((note) => [note, '']),
    ].join('\n');
  }

  #cells(row: Row, base: string): string[] {
    const runs = [...row.runs.values()];
    const { columns, digits, hasCost, ratio } = this.#shape;
    const isAlone = ratio === 'none';
    if (runs.length === 0) {
      const more = columns.length - 1 + (isAlone ? 0 : 1) + (hasCost ? 3 : 0);
      return [row.name, 'failed', ...Array.from({ length: more }, () => '')];
    }
    const values = columns.map((_, i) =>
      spread(
        runs.map((run) => run.values[i] ?? Number.NaN),
        typeof digits === 'number' ? digits : (digits[i] ?? 0),
      ),
    );
    const costs = runs.flatMap(({ cost }) => (cost === undefined ? [] : [cost]));
    return [
      row.name,
      ...values,
      ...(isAlone ? [] : [row.name.startsWith(base) ? '' : spread(this.#ratios(row, base), 2)]),
      ...(hasCost
        ? [
            spread(
              costs.map(({ cpuSeconds }) => cpuSeconds),
              1,
            ),
            cpuOf(costs),
            peaksOf(costs),
          ]
        : []),
    ];
  }

  #ratios(row: Row, base: string): number[] {
    return [...row.runs].flatMap(([run, { values }]) => {
      const ours = this.#rows.get(base)?.runs.get(run)?.values[0];
      const theirs = values[0];
      return ours === undefined || theirs === undefined ? [] : [ours / theirs];
    });
  }

  #row(name: string): Row {
    const row = this.#rows.get(name) ?? { name, runs: new Map<number, Measured>(), failures: [] };
    this.#rows.set(name, row);
    return row;
  }
}

/** A bar would end the cell. */
function inCell(text: string): string {
  return text.replaceAll('|', '\\|');
}

/** The median of all runs, for each side. */
function cpuOf(costs: readonly Cost[]): string {
  const roles = new Set(costs.flatMap(({ cpu }) => [...cpu.keys()]));
  const of = (role: string): string =>
    quantile(
      costs.map(({ cpu }) => cpu.get(role) ?? 0),
      0.5,
    ).toFixed(1);
  return [...roles].map((role) => `${role} ${of(role)}`).join(', ');
}

/** The highest peak of all runs, for each side. */
function peaksOf(costs: readonly Cost[]): string {
  const peaks = new Map<string, number>();
  for (const cost of costs)
    for (const [role, kibibytes] of cost.peaks) peaks.set(role, Math.max(kibibytes, peaks.get(role) ?? 0));
  return [...peaks].map(([role, kibibytes]) => `${role} ${Math.round((kibibytes * 1024) / 1e6)}`).join(', ');
}
