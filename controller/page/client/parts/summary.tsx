import { summaryFor, summaryLine } from '../../../conditions/summary.ts';
import type { Overview } from '../../overview.ts';
import { t } from '../translate.ts';

/** Is everything in sync? The line of `xivo-xds-sync status`, read aloud when it changes. */
export function Summary({ status }: { readonly status: Overview['status'] }) {
  const { bad, held, isPaused, problems } = summaryFor(status);
  const isFine = bad.length === 0 && held.length === 0 && problems === 0 && !isPaused;
  return (
    <p class={`summary ${isFine ? 'fine' : 'bad'}`} role="status">
      {summaryLine(status, t)}
    </p>
  );
}
