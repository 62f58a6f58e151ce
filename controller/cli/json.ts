import * as z from 'zod';
import type { DeepReadonly } from '#host/control/contract.ts';
import { type Documents, documentsOf } from '#host/cli/json/jsonDocuments.ts';
import { checkedConfig, checks } from '#host/cli/json/jsonShapes.ts';
import { controllerContract as asked } from '../control/contract/contract.ts';

const named = z.object({ name: z.string() });
/** The old rsync job. */
const oldJob = z.enum(['on', 'off', 'none']);
const history = asked.history.result;

/**
 * The schemas of the output of each command with `--json`, apart from the version; docs/json is generated from them.
 */
export const MAIN_JSON = {
  init: z.object({
    configFile: z.string(),
    identityFolder: z.string(),
    isNew: z.boolean(),
    fingerprint: z.string(),
    service: z.boolean(),
  }),
  /** With `--dry-run`, what would happen. */
  sync: z.union([asked.plan.result, asked.sync.result]),
  /** With `--check`, the result for monitoring. */
  status: z.union([asked.status.result, z.object({ code: z.number(), lines: z.array(z.string()) })]),
  verify: asked.verify.result,
  why: asked.why.result,
  confirm: asked.confirm.result,
  /** With `--follow`, one entry after the other. */
  history: z.union([history, history.shape.entries.element]),
  rollback: asked.rollback.result,
  'trash list': asked['trash-list'].result,
  'trash restore': asked['trash-restore'].result,
  diff: asked.diff.result,
  adopt: asked.adopt.result,
  revert: asked.revert.result,
  prune: asked.prune.result,
  'mds add': named.extend({ token: z.string() }),
  'mds list': asked['mds-list'].result,
  'mds approve': named,
  'mds remove': asked['mds-remove'].result,
  'mds forget': named,
  'mds upgrade': asked['mds-upgrade'].result.omit({ version: true }),
  pause: asked.pause.result,
  resume: asked.resume.result.extend({ oldJob }),
  /** With `--compare`, and with `--back`. */
  migrate: z.union([
    asked.plan.result.extend({
      oldJob,
      pausedUntil: z.string().nullable(),
      local: z.array(
        z.object({
          name: z.string(),
          files: asked.diff.result.shape.differences,
          more: z.number(),
          problems: z.array(z.string()),
        }),
      ),
    }),
    z.object({ dryRun: z.boolean(), oldJob, paused: z.boolean() }),
  ]),
  /** After the first step, after `--finish`, after `--abandon`. */
  'rotate-identity': z.union([
    asked['rotate-begin'].result,
    asked['rotate-finish'].result,
    z.object({ abandoned: z.literal(true) }),
  ]),
  backup: z.object({ file: z.string(), members: z.array(z.string()) }),
  restore: z.object({ fingerprint: z.string(), kept: z.array(z.string()) }),
  'check-config': checkedConfig,
  doctor: checks,
} satisfies Documents;

export type MainJson = { [K in keyof typeof MAIN_JSON]: DeepReadonly<z.input<(typeof MAIN_JSON)[K]>> };

/** The schemas of docs/json/xivo-xds-sync, by command. */
export function mainDocuments(): Map<string, object> {
  return documentsOf('xivo-xds-sync', MAIN_JSON);
}
