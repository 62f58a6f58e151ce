import { useEffect, useState } from 'preact/hooks';
import type { ChangeSetDetails } from '../overview.ts';
import { actionText, actorText } from './parts/changes.tsx';
import { nameText, timeText } from './format.ts';
import { fetchChangeSet } from './received.ts';
import { t } from './translate.ts';

/** What one change set did, where, when and why; for text, the difference. */
export function ChangeSetPage({ id }: { readonly id: string }) {
  const [details, setDetails] = useState<ChangeSetDetails | 'none' | undefined>();
  useEffect(() => {
    const gone = new AbortController();
    fetchChangeSet(id, gone.signal)
      .then((found) => setDetails(found ?? 'none'))
      .catch(() => (gone.signal.aborted ? undefined : setDetails('none')));
    return () => gone.abort();
  }, [id]);
  if (details === undefined) return <p role="status">{t('connecting')}</p>;
  if (details === 'none') return <p>{t('notFound', { name: nameText(id) })}</p>;
  return (
    <>
      <h1>
        {t('change')} {nameText(id)}
      </h1>
      {details.dialplan !== null && (
        <p>
          {t('forCallers')}: <code>{nameText(details.dialplan)}</code>
        </p>
      )}
      <div class="scroll" tabIndex={0} role="group" aria-label={t('change')}>
        <table>
          <thead>
            <tr>
              <th scope="col">{t('when')}</th>
              <th scope="col">{t('where')}</th>
              <th scope="col">{t('what')}</th>
              <th scope="col">{t('path')}</th>
              <th scope="col">{t('why')}</th>
              <th scope="col">{t('byWhom')}</th>
            </tr>
          </thead>
          <tbody>
            {details.rows.map((row, i) => (
              <tr key={i}>
                <td>{timeText(row.at)}</td>
                <td>{nameText(row.mds)}</td>
                <td>{actionText(row.action, 1)}</td>
                <td class="paths">
                  {details.directory}/{nameText(row.path)}
                </td>
                <td lang="en">{nameText(row.reason)}</td>
                <td>{row.actor === null ? '–' : actorText(row.actor)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {details.diffs.length > 0 && <h2>{t('differences')}</h2>}
      {details.diffs.map(({ path, lines }) => (
        <figure key={path}>
          <figcaption>{nameText(path)}</figcaption>
          <pre class="diff" tabIndex={0}>
            {lines.map(({ sign, text }, i) => (
              <span key={i} class={sign === '+' ? 'added' : sign === '-' ? 'removed' : ''}>
                {sign} {nameText(text)}
                {'\n'}
              </span>
            ))}
          </pre>
        </figure>
      ))}
    </>
  );
}
