import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';

/** A program that answers like `asterisk -rx`, by a shell script of the test. */
export class AsteriskScript {
  readonly words: readonly string[];
  readonly #folder: string;

  /** @param script runs with the line for Asterisk in $line, and the number of this call, from 1, in $call */
  constructor(t: TestContext, script: string) {
    this.#folder = mkdtempSync(path.join(os.tmpdir(), 'xds-asterisk-'));
    t.after(() => rmSync(this.#folder, { recursive: true, force: true }));
    this.words = [path.join(this.#folder, 'asterisk')];
    this.become(script);
  }

  /** From the next call on. */
  become(script: string): void {
    const [program = ''] = this.words;
    const head = `#!/bin/sh\nline=$2\necho "$line" >>"${this.#folder}/calls"\ncall=$(wc -l <"${this.#folder}/calls")\n`;
    // Replaced, not written over: one that runs is busy.
    rmSync(program, { force: true });
    writeFileSync(program, `${head}${script}\n`);
    chmodSync(program, 0o755);
  }

  /** The lines that Asterisk was asked to carry out. */
  get calls(): string[] {
    const file = path.join(this.#folder, 'calls');
    return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
  }
}
