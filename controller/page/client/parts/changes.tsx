import type { RecentChangeSet } from '../../overview.ts';
import { countText, nameText, timeText } from '../format.ts';
import { isMessage, t } from '../translate.ts';

/** The last change sets, newest first. */
export function Changes({ changeSets }: { readonly changeSets: readonly RecentChangeSet[] }) {
  return (
    <section aria-labelledby="changes">
      <h2 id="changes">{t('changes')}</h2>
      {changeSets.length === 0 ? (
        <p>{t('noChanges')}</p>
      ) : (
        <div class="scroll" tabIndex={0} role="group" aria-labelledby="changes">
          <table>
            <thead>
              <tr>
                <th scope="col">{t('when')}</th>
                <th scope="col">{t('directory')}</th>
                <th scope="col">{t('what')}</th>
                <th scope="col">{t('path')}</th>
                <th scope="col">{t('where')}</th>
                <th scope="col">{t('byWhom')}</th>
              </tr>
            </thead>
            <tbody>
              {changeSets.map((set) => (
                <tr key={set.id}>
                  <td>
                    <a href={`#/change/${encodeURIComponent(set.id)}`}>
                      <time dateTime={set.at}>{timeText(set.at)}</time>
                    </a>
                  </td>
                  <td>{set.directory}</td>
                  <td>
                    {actionsText(set.actions)}
                    {set.dialplan !== null && (
                      <>
                        <br />
                        <code>{nameText(set.dialplan)}</code>
                      </>
                    )}
                  </td>
                  <td class="paths">
                    {set.paths.map((path) => nameText(path)).join(', ')}
                    {set.count > set.paths.length &&
                      ` ${t('more', { count: countText(set.count - set.paths.length) })}`}
                  </td>
                  <td>{set.mds.map(nameText).join(', ')}</td>
                  <td>{set.actors.map(actorText).join(', ')}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

/** A change on Main, whichever way it was found. */
const MAINS: ReadonlySet<string> = new Set(['main', 'watcher', 'reconcile']);

/** By whom something was done. @param actor as the history has it */
export function actorText(actor: string): string {
  const [, user] = /^command by (.+)$/.exec(actor) ?? [];
  if (user !== undefined) return t('actor.command', { user: nameText(user) });
  return MAINS.has(actor) ? t('actor.main') : nameText(actor);
}

export function actionText(action: string, count: number): string {
  const key = `action.${action}`;
  return isMessage(key)
    ? t(key, { count: countText(count) })
    : t('action.other', { count: countText(count), action });
}

function actionsText(actions: Readonly<Record<string, number>>): string {
  return Object.entries(actions)
    .map(([action, count]) => actionText(action, count))
    .join(', ');
}
