import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const PROGRAM = '/usr/bin/chromium';

/** Why there is no browser here; undefined where there is one. */
export const noBrowser: string | undefined = existsSync(PROGRAM)
  ? undefined
  : `there is no ${PROGRAM}: apt-get install chromium`;

/** Debian's Chromium without a window, that asks for nothing from outside. */
export function startBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: PROGRAM,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}
