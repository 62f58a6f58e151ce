import type { Overview } from '../../overview.ts';
import { nameText, timeText } from '../format.ts';
import { t } from '../translate.ts';

/** Recordings that both sides changed; the version that lost is in Main's trash. */
export function Conflicts({ conflicts }: { readonly conflicts: Overview['conflicts'] }) {
  if (conflicts.length === 0) return null;
  return (
    <section aria-labelledby="conflicts">
      <h2 id="conflicts">{t('conflicts')}</h2>
      <ul>
        {conflicts.map(({ at, mds, path, reason, changeSet }) => (
          <li key={`${changeSet} ${path}`}>
            <a href={`#/change/${encodeURIComponent(changeSet)}`}>
              <time dateTime={at}>{timeText(at)}</time>
            </a>{' '}
            {nameText(mds)} <span class="paths">{nameText(path)}</span>:{' '}
            <span lang="en">{nameText(reason)}</span>
          </li>
        ))}
      </ul>
      <p>{t('conflictsKept')}</p>
    </section>
  );
}
