import { useEffect, useState } from 'preact/hooks';
import type { TrashListing } from '../overview.ts';
import { bytesText, countText, nameText, timeText } from './format.ts';
import { fetchTrash } from './received.ts';
import { t } from './translate.ts';

/** What was replaced or removed and can be brought back, on Main and on every MDS that is connected. */
export function TrashPage() {
  const [listing, setListing] = useState<TrashListing | 'failed' | undefined>();
  useEffect(() => {
    const gone = new AbortController();
    fetchTrash(gone.signal)
      .then((found) => setListing(found ?? 'failed'))
      .catch(() => (gone.signal.aborted ? undefined : setListing('failed')));
    return () => gone.abort();
  }, []);
  return (
    <>
      <h1 id="trash">{t('trash')}</h1>
      <p>
        {t('trashHow')} <code lang="en">xivo-xds-sync trash restore PATH</code>
      </p>
      {listing === undefined && <p role="status">{t('connecting')}</p>}
      {listing === 'failed' && <p role="alert">{t('failed')}</p>}
      {typeof listing === 'object' && <Listing listing={listing} />}
    </>
  );
}

function Listing({ listing: { items, more, problems } }: { readonly listing: TrashListing }) {
  return (
    <>
      {problems.map((problem) => (
        <p lang="en" key={problem}>
          {nameText(problem)}
        </p>
      ))}
      {items.length === 0 ? (
        <p>{t('trashEmpty')}</p>
      ) : (
        <div class="scroll" tabIndex={0} role="group" aria-labelledby="trash">
          <table>
            <thead>
              <tr>
                <th scope="col">{t('when')}</th>
                <th scope="col">{t('where')}</th>
                <th scope="col">{t('path')}</th>
                <th scope="col">{t('size')}</th>
                <th scope="col">{t('why')}</th>
              </tr>
            </thead>
            <tbody>
              {items.map(({ host, id, directory, path, at, reason, bytes }) => (
                <tr key={`${host} ${directory} ${id}`}>
                  <td>{timeText(at)}</td>
                  <td>{nameText(host)}</td>
                  <td class="paths">{nameText(`${directory}/${path}`)}</td>
                  <td class="number">{bytesText(bytes)}</td>
                  <td lang="en">{nameText(reason)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {more > 0 && <p>{t('more', { count: countText(more) })}</p>}
    </>
  );
}
