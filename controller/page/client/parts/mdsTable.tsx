import type { Overview } from '../../overview.ts';
import { countText, durationText, nameText, timeText } from '../format.ts';
import { toGoText } from './travelling.tsx';
import { Sparkline } from './sparkline.tsx';
import { t } from '../translate.ts';

type Mds = Overview['status']['mds'][number];

/** A row for each MDS, those that need a person first. */
export function MdsTable({ overview }: { readonly overview: Overview }) {
  const { status, behind } = overview;
  if (status.mds.length === 0) return null;
  const names = status.main.directories.map(({ name }) => name);
  const rows = status.mds.toSorted(
    (a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name, undefined, { numeric: true }),
  );
  return (
    <section aria-labelledby="every">
      <h2 id="every">{t('everyMds')}</h2>
      <div class="scroll" tabIndex={0} role="group" aria-labelledby="every">
        <table>
          <thead>
            <tr>
              <th scope="col">{t('mds')}</th>
              <th scope="col">{t('state')}</th>
              {names.map((name) => (
                <th scope="col" key={name}>
                  {name}
                </th>
              ))}
              <th scope="col">{t('behind24h')}</th>
              <th scope="col">{t('toGo')}</th>
              <th scope="col">{t('localFiles')}</th>
              <th scope="col">{t('lastDelivery')}</th>
              <th scope="col">{t('lastCheck')}</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((mds) => (
              <tr key={mds.name} class={mds.inSync || mds.state === 'revoked' ? '' : 'bad'}>
                <th scope="row">
                  <a href={`#/mds/${encodeURIComponent(mds.name)}`}>{nameText(mds.name)}</a>
                </th>
                <td>{t(`state.${mds.state}`)}</td>
                {names.map((name) => (
                  <td key={name}>{directoryText(mds, name)}</td>
                ))}
                <td>
                  <Sparkline mds={mds.name} values={behind[mds.name] ?? []} />
                </td>
                <td class="number">{toGoText(mds)}</td>
                <td class="number">{localFiles(mds)}</td>
                <td class="number">
                  {mds.lastDeliveryMs === null ? '–' : durationText(mds.lastDeliveryMs / 1_000)}
                </td>
                <td>
                  {mds.lastReconcile === null
                    ? t('never')
                    : `${timeText(mds.lastReconcile.at)}${mds.lastReconcile.ok ? '' : `, ${t('failed')}`}`}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

export function directoryText(mds: Mds, name: string): string {
  const directory = mds.directories.find((each) => each.name === name);
  if (directory === undefined) return '–';
  if (directory.held !== null) return `‖ ${t('onHold')}`;
  if (directory.inSync) return `✓ ${t('inSync')}`;
  return `↻ ${t('notInSync')}`;
}

function localFiles({ state, directories }: Mds): string {
  if (state !== 'connected') return '–';
  return countText(directories.reduce((total, each) => total + each.localOnly, 0));
}

function rank({ state, inSync }: Mds): number {
  if (state === 'disconnected') return 0;
  if (state === 'connected') return inSync ? 3 : 1;
  return state === 'revoked' ? 4 : 2;
}
