import { cpSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { toneWav } from './wav.ts';

/** Where Debian's asterisk-core-sounds-en-wav and asterisk-moh-opsound-wav put theirs. */
const DEBIAN_SOUNDS = '/usr/share/asterisk/sounds/en_US_f_Allison';
const DEBIAN_MOH = '/usr/share/asterisk/moh';

/** The four directories of a XiVO, with the paths they have there. */
export const DIRECTORIES = {
  dialplan: '/etc/asterisk/extensions_extra.d',
  moh: '/var/lib/xivo/moh',
  sounds: '/var/lib/xivo/sounds',
  recordings: '/var/lib/xivo/sounds/recordings',
} as const;

export function makeDirectories(root: string): void {
  for (const directory of Object.values(DIRECTORIES)) mkdirSync(root + directory, { recursive: true });
}

/** Fills Main as an administrator would have by now. @returns where its sounds come from, in words */
export function fillMain(root: string): string {
  const dialplan = root + DIRECTORIES.dialplan;
  writeFileSync(
    path.join(dialplan, 'welcome.conf'),
    '[xivo-extrafeatures]\nexten = *55,1,Answer()\nsame = n,Playback(welcome)\nsame = n,Hangup()\n',
  );
  writeFileSync(
    path.join(dialplan, 'night.conf'),
    '[night]\nexten = s,1,Playback(vm-goodbye)\nsame = n,Hangup()\n',
  );
  writeFileSync(path.join(root + DIRECTORIES.recordings, 'greeting.wav'), toneWav(440, 2));
  // `XDS_DEMO_SOUNDS=generated`: as on a machine without Debian's sounds.
  const isGenerated = process.env['XDS_DEMO_SOUNDS'] === 'generated';
  if (!isGenerated && existsSync(DEBIAN_SOUNDS) && existsSync(DEBIAN_MOH)) {
    cpSync(DEBIAN_SOUNDS, path.join(root + DIRECTORIES.sounds, 'en_US'), {
      recursive: true,
      dereference: true,
    });
    cpSync(DEBIAN_MOH, path.join(root + DIRECTORIES.moh, 'default'), { recursive: true, dereference: true });
    return "Debian's English sounds and music on hold";
  }
  generateSounds(root);
  return 'generated tones (for real sounds: apt install asterisk-core-sounds-en-wav asterisk-moh-opsound-wav)';
}

function generateSounds(root: string): void {
  const digits = path.join(root + DIRECTORIES.sounds, 'en_US/digits');
  const moh = path.join(root + DIRECTORIES.moh, 'default');
  mkdirSync(digits, { recursive: true });
  mkdirSync(moh, { recursive: true });
  for (let digit = 0; digit < 100; digit++) {
    writeFileSync(path.join(digits, `${digit}.wav`), toneWav(200 + 10 * digit, 0.5));
  }
  for (const [name, hertz] of [
    ['morning', 262],
    ['noon', 330],
    ['evening', 392],
  ] as const) {
    writeFileSync(path.join(moh, `${name}.wav`), toneWav(hertz, 20));
  }
}

/** What each MDS has of its own, to see that it stays. */
export function fillMds(root: string, name: string): void {
  const dialplan = root + DIRECTORIES.dialplan;
  writeFileSync(
    path.join(dialplan, `local-${name}.conf`),
    `[local-${name}]\nexten = 999,1,NoOp(only here)\n`,
  );
  writeFileSync(path.join(dialplan, 'xds_override_trunk.conf'), `[trunk]\nexten = 0,1,NoOp(${name})\n`);
}
