import { parseArgs } from 'node:util';
import { soak, SoakFailure } from './soak.ts';

/** `npm run soak -- --minutes N --seed S [--kills K] [--cuts C] [--kills-per-round R] [--loopback] [--keep]` */
const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '5' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    kills: { type: 'string', default: '0' },
    cuts: { type: 'string', default: '0' },
    'kills-per-round': { type: 'string', default: '8' },
    loopback: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
  },
});

function numberOf(text: string, name: string): number {
  const number = Number(text);
  if (Number.isFinite(number) && number >= 0) return number;
  console.error(`--${name} ${text} is not a number`);
  return process.exit(2);
}

try {
  const report = await soak({
    seed: numberOf(values.seed, 'seed'),
    length: numberOf(values.minutes, 'minutes') * 60_000,
    kills: numberOf(values.kills, 'kills'),
    cuts: numberOf(values.cuts, 'cuts'),
    killsPerRound: numberOf(values['kills-per-round'], 'kills-per-round'),
    loopback: values.loopback,
    keep: values.keep,
    say: (line) => console.log(line),
  });
  console.log(`nothing was lost: ${JSON.stringify(report)}`);
} catch (error) {
  if (!(error instanceof SoakFailure)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
