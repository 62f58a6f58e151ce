import { readAnswer } from './readAnswer.ts';
import type { Prove, Verdict } from './proof.ts';
import type { Refusal, ReloadKind } from './result.ts';
import { runProcess } from './runProcess.ts';
import type { CommandEnd } from './runProcess.ts';

/** Result of one attempt of a reload. */
export type ReloadEnd =
  | { readonly how: 'final'; readonly output: string; readonly refusal?: Refusal }
  | { readonly how: 'busy' | 'away'; readonly output: string };

type Limits = { readonly timeoutMs: number; readonly signal: AbortSignal };

/** The reload command of each kind, and the module that provides it. */
const COMMANDS: Record<ReloadKind, { readonly line: string; readonly module: string }> = {
  dialplan: { line: 'dialplan reload', module: 'pbx_config.so' },
  moh: { line: 'moh reload', module: 'res_musiconhold.so' },
};

/** Most repetitions of a reload with an unclear outcome. */
const REPEATS = 2;

/**
 * Reloads one kind and proves it, repeating it once or twice when the proof needs that. Retries later are up to the caller.
 */
export async function runReload(
  kind: ReloadKind,
  asterisk: readonly string[],
  prove: Prove | undefined,
  limits: Limits,
): Promise<ReloadEnd> {
  for (let repeats = 0; ; repeats++) {
    const { again, ...end } = await reloadOnce(kind, asterisk, prove, limits);
    if (!again || repeats === REPEATS || limits.signal.aborted) return end;
  }
}

async function reloadOnce(
  kind: ReloadKind,
  asterisk: readonly string[],
  prove: Prove | undefined,
  limits: Limits,
): Promise<ReloadEnd & { readonly again?: boolean }> {
  const { line, module } = COMMANDS[kind];
  const finishProof = await beginProof(kind, prove, limits.signal);
  const first = await runProcess([...asterisk, '-rx', line], limits);
  let answer = readAnswer(first);
  let { output } = first;
  if (answer.meaning === 'unloaded') {
    const second = await reloadOrLoad(asterisk, line, module, limits);
    answer = readAnswer(second);
    output += second.output;
  }
  if (answer.meaning === 'busy') return { how: 'busy', output };
  if (answer.meaning === 'away') {
    const { message, remedy } = answer;
    return { how: 'away', output: remedy === undefined ? output || message : `${message}: ${remedy}` };
  }
  if (answer.meaning === 'unloaded') return { how: 'final', output, refusal: { message: output.trim() } };
  const proof = await finishProof(output);
  if (proof.note !== undefined) output = `${output}${proof.note}\n`;
  const refusal = proof.refusal ?? (answer.meaning === 'refused' ? answer.refusal : undefined);
  const again = proof.again === true;
  return refusal ? { how: 'final', output, refusal, again } : { how: 'final', output, again };
}

/** A failed proof does not count against the reload; the failure is added to the output. */
async function beginProof(
  kind: ReloadKind,
  prove: Prove | undefined,
  signal: AbortSignal,
): Promise<(output: string) => Promise<Verdict>> {
  if (prove === undefined) return () => Promise.resolve({});
  try {
    const finish = await prove(kind, signal);
    return async (output) => {
      try {
        return await finish(output);
      } catch (error) {
        return { note: unproved(error) };
      }
    };
  } catch (error) {
    return () => Promise.resolve({ note: unproved(error) });
  }
}

function unproved(error: unknown): string {
  return `It could not be checked whether the change is active: ${error instanceof Error ? error.message : String(error)}`;
}

/**
 * An Asterisk that is still starting knows the command in a moment. One that could not read its dialplan at its start
 * lacks the module until a person loads it, even after the files are corrected.
 */
async function reloadOrLoad(
  asterisk: readonly string[],
  line: string,
  module: string,
  limits: Limits,
): Promise<CommandEnd> {
  for (const next of ['core waitfullybooted', line]) {
    const end = await runProcess([...asterisk, '-rx', next], limits);
    const { meaning } = readAnswer(end);
    if (meaning === 'away' || (next === line && meaning !== 'unloaded')) return end;
  }
  return await runProcess([...asterisk, '-rx', `module load ${module}`], limits);
}
