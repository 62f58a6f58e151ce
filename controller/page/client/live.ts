import { useEffect, useState } from 'preact/hooks';
import type { Overview } from '../overview.ts';
import { overviewIn } from './received.ts';

export type Live = {
  readonly overview: Overview | undefined;
  /** When the connection was lost, ISO 8601; undefined while it is open. */
  readonly lostAt: string | undefined;
};

/**
 * After this silence the connection counts as lost, milliseconds; the server sends a sign of life every five seconds.
 */
const SILENCE = 12_000;
/** Delay before reconnecting, milliseconds. */
const RETRY = 2_000;

/** The current overview, updated by server-sent events; reconnects by itself. After an upgrade of Main, the page is loaded again. */
export function useLive(): Live {
  const [live, setLive] = useState<Live>({ overview: undefined, lostAt: undefined });
  useEffect(() => {
    let source: EventSource | undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let version: string | undefined;
    const lost = (): void => {
      source?.close();
      clearTimeout(timer);
      setLive(({ overview, lostAt }) => ({ overview, lostAt: lostAt ?? new Date().toISOString() }));
      timer = setTimeout(connect, RETRY);
    };
    const alive = (): void => {
      clearTimeout(timer);
      timer = setTimeout(lost, SILENCE);
    };
    const connect = (): void => {
      source = new EventSource('api/events');
      source.addEventListener('overview', (event) => {
        alive();
        const overview = overviewIn(event.data);
        if (overview === undefined) return lost();
        version ??= overview.status.version;
        // This script may not understand what a server of another version says; the one that it serves does.
        if (overview.status.version !== version) location.reload();
        else setLive({ overview, lostAt: undefined });
      });
      source.addEventListener('alive', alive);
      source.addEventListener('error', lost);
      timer = setTimeout(lost, SILENCE);
    };
    connect();
    return () => {
      source?.close();
      clearTimeout(timer);
    };
  }, []);
  return live;
}
