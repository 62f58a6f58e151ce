import { toGoOf } from '../../../conditions/toGo.ts';
import type { Overview } from '../../overview.ts';
import { bytesText, countText, durationText, nameText } from '../format.ts';
import { t } from '../translate.ts';

type Mds = Overview['status']['mds'][number];

/** What travels now to and from these MDS, with its progress; nothing when nothing does. */
export function Travelling({ mds }: { readonly mds: readonly Mds[] }) {
  const moving = mds.filter(({ transfers }) => transfers.length > 0);
  if (moving.length === 0) return null;
  return (
    <section aria-labelledby="travelling">
      <h2 id="travelling">{t('travelling')}</h2>
      <div class="scroll" tabIndex={0} role="group" aria-labelledby="travelling">
        <table>
          <thead>
            <tr>
              <th scope="col">{t('mds')}</th>
              <th scope="col">{t('toGo')}</th>
              <th scope="col">{t('path')}</th>
              <th scope="col">{t('progress')}</th>
            </tr>
          </thead>
          <tbody>
            {moving.map((each) =>
              each.transfers.map((transfer, i) => (
                <tr key={`${each.name} ${transfer.directory} ${transfer.path}`}>
                  {i === 0 && (
                    <>
                      <th scope="row" rowSpan={each.transfers.length}>
                        {nameText(each.name)}
                      </th>
                      <td rowSpan={each.transfers.length}>{toGoText(each)}</td>
                    </>
                  )}
                  <td class="paths">
                    {transfer.direction === 'to-mds' ? '→' : '←'}{' '}
                    {nameText(`${transfer.directory}/${transfer.path}`)}
                    {transfer.files > 1 && ` ${t('more', { count: countText(transfer.files - 1) })}`}
                  </td>
                  <td>
                    <progress
                      max={Math.max(1, transfer.bytesTotal)}
                      value={transfer.bytes}
                      aria-label={t('progress')}
                    />{' '}
                    {bytesText(transfer.bytes)} / {bytesText(transfer.bytesTotal)}
                  </td>
                </tr>
              )),
            )}
          </tbody>
        </table>
      </div>
    </section>
  );
}

/** What is to go in files, bytes, rate and time, as far as it is known. */
export function toGoText(mds: Mds): string {
  if (mds.state !== 'connected') return '–';
  const { files, bytes, bytesPerSecond, secondsLeft } = toGoOf(mds);
  return [
    countText(files),
    ...(bytes === null || bytes === 0 ? [] : [bytesText(bytes)]),
    ...(bytesPerSecond > 0 && files > 0 ? [`${bytesText(bytesPerSecond)}/s`] : []),
    ...(secondsLeft === null ? [] : [t('left', { duration: durationText(secondsLeft) })]),
  ].join(', ');
}
