import type { Overview } from '../../overview.ts';
import { bytesText, countText, nameText, timeText } from '../format.ts';
import { t } from '../translate.ts';

/** What Main itself holds, and what it warns of. */
export function MainSection({ status }: { readonly status: Overview['status'] }) {
  const { main, version } = status;
  const warnings = main.directories.flatMap(({ name, warnings }) =>
    warnings.map(({ path, message }) => ({ path: `${name}/${path}`, message })),
  );
  const skipped = main.directories.flatMap(({ name, skipped }) =>
    skipped.map(({ path, reason }) => ({ path: `${name}/${path}`, message: reason })),
  );
  return (
    <section aria-labelledby="main-holds">
      <h2 id="main-holds">{t('onMain')}</h2>
      <p>
        xivo-xds-sync {version}, {main.listen}, {t('runningSince', { time: timeText(main.startedAt) })}
      </p>
      <div class="scroll" tabIndex={0} role="group" aria-labelledby="main-holds">
        <table>
          <thead>
            <tr>
              <th scope="col">{t('directory')}</th>
              <th scope="col">{t('files')}</th>
              <th scope="col">{t('size')}</th>
              <th scope="col">{t('path')}</th>
            </tr>
          </thead>
          <tbody>
            {main.directories.map(({ name, files, bytes, path }) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td class="number">{countText(files)}</td>
                <td class="number">{bytesText(bytes)}</td>
                <td class="paths">{nameText(path)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <Lines title={t('warnings')} lines={warnings} />
      <Lines title={t('skipped')} lines={skipped} />
    </section>
  );
}

/** More of them than a person reads are only counted. */
const MOST = 50;

function Lines({
  title,
  lines,
}: {
  readonly title: string;
  readonly lines: readonly { readonly path: string; readonly message: string }[];
}) {
  if (lines.length === 0) return null;
  return (
    <details>
      <summary>
        {title} ({countText(lines.length)})
      </summary>
      <ul>
        {lines.slice(0, MOST).map(({ path, message }) => (
          <li key={`${path} ${message}`}>
            <span class="paths">{nameText(path)}</span>: <span lang="en">{nameText(message)}</span>
          </li>
        ))}
        {lines.length > MOST && <li>{t('more', { count: countText(lines.length - MOST) })}</li>}
      </ul>
    </details>
  );
}
