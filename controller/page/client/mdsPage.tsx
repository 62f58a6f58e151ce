import type { Overview } from '../overview.ts';
import { Causes } from './parts/causes.tsx';
import { Changes } from './parts/changes.tsx';
import { bytesText, countText, durationText, nameText, timeText } from './format.ts';
import { directoryText } from './parts/mdsTable.tsx';
import { Travelling } from './parts/travelling.tsx';
import { Sparkline } from './parts/sparkline.tsx';
import { t } from './translate.ts';

/** Everything about one MDS. */
export function MdsPage({ name, overview }: { readonly name: string; readonly overview: Overview }) {
  const mds = overview.status.mds.find((each) => each.name === name);
  if (mds === undefined) return <p>{t('notFound', { name: nameText(name) })}</p>;
  const causes = overview.status.causes.filter((cause) => cause.mds.includes(name));
  return (
    <>
      <h1>{nameText(name)}</h1>
      <dl>
        <dt>{t('state')}</dt>
        <dd>{t(`state.${mds.state}`)}</dd>
        <dt>{t('address')}</dt>
        <dd>{mds.address ?? '–'}</dd>
        <dt>{t('version')}</dt>
        <dd>{mds.agentVersion ?? '–'}</dd>
        <dt>{t('clock')}</dt>
        <dd>{mds.clockOffsetMs === null ? '–' : `${countText(Math.round(mds.clockOffsetMs))} ms`}</dd>
        <dt>{t('certificate')}</dt>
        <dd>{mds.certificateNotAfter === null ? '–' : timeText(mds.certificateNotAfter)}</dd>
      </dl>
      <Causes causes={causes} excerpts={overview.excerpts} />
      <Travelling mds={[mds]} />
      <h2>{t('behind24h')}</h2>
      <Sparkline mds={name} values={overview.behind[name] ?? []} axes />
      <h2 id="directories">{t('directories')}</h2>
      <div class="scroll" tabIndex={0} role="group" aria-labelledby="directories">
        <table>
          <thead>
            <tr>
              <th scope="col">{t('directory')}</th>
              <th scope="col">{t('state')}</th>
              <th scope="col">{t('files')}</th>
              <th scope="col">{t('size')}</th>
              <th scope="col">{t('filesToDo')}</th>
              <th scope="col">{t('bytesToGo')}</th>
              <th scope="col">{t('localFiles')}</th>
            </tr>
          </thead>
          <tbody>
            {mds.directories.map((directory) => (
              <tr key={directory.name}>
                <th scope="row">{directory.name}</th>
                <td>{directoryText(mds, directory.name)}</td>
                <td class="number">{countText(directory.files)}</td>
                <td class="number">{bytesText(directory.bytes)}</td>
                <td class="number">{countText(directory.pending)}</td>
                <td class="number">
                  {directory.pendingBytes === null ? '–' : bytesText(directory.pendingBytes)}
                </td>
                <td class="number">{countText(directory.localOnly)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {mds.reloads.length > 0 && (
        <>
          <h2>{t('reloads')}</h2>
          <ul>
            {mds.reloads.toReversed().map((reload) => (
              <li key={`${reload.kind} ${reload.at}`}>
                {timeText(reload.at)} {reload.kind}: {reload.ok ? '✓' : `✗ ${t('failed')}`} (
                {durationText(reload.durationMs / 1_000)}){' '}
                <span lang="en">{nameText(reload.output.trim())}</span>
              </li>
            ))}
          </ul>
        </>
      )}
      <Changes changeSets={overview.changeSets.filter((set) => set.mds.includes(name))} />
    </>
  );
}
