import { readFileSync, rmSync, truncateSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { Cluster } from '../support/harness/cluster.ts';
import { eventually, type Host } from '../support/harness/host.ts';

/** Takes a minute to read on a fast host, and no room: it is one hole. */
const SIZE = 64 * 1024 ** 3;
/** Far more than a daemon reads at its start. */
const IS_READING = 256 * 1024 ** 2;

void describe('A daemon that is stopped while it reads a huge file', () => {
  let cluster: Cluster;
  before(async () => {
    cluster = await Cluster.make({ enrolled: true, mds: ['mds1'] });
  });
  after(() => cluster.end());

  void it('ends at once on Main, and starts again as usual', async () => {
    const { main } = cluster;
    main.write('sounds', 'huge.wav', '');
    truncateSync(main.at('sounds', 'huge.wav'), SIZE);
    await cluster.startMain();
    await isReading(main);
    await main.stop();
    rmSync(main.at('sounds', 'huge.wav'));
    main.write('sounds', 'small.wav', 'content');
    await cluster.startMain();
  });

  void it('ends at once on an MDS', async () => {
    const mds = cluster.one('mds1');
    mds.write('recordings', 'huge.wav', '');
    truncateSync(mds.at('recordings', 'huge.wav'), SIZE);
    mds.start();
    await isReading(mds);
    await mds.stop();
    rmSync(mds.at('recordings', 'huge.wav'));
    mds.start();
    await cluster.inSync();
    await eventually('Main’s file is there', () => mds.read('sounds', 'small.wav') === 'content');
  });
});

async function isReading({ name, pid }: Host): Promise<void> {
  await eventually(`${name} reads it`, () => {
    const io = readFileSync(`/proc/${pid}/io`, 'utf8');
    return Number(/^rchar: (\d+)/.exec(io)?.[1]) > IS_READING;
  });
}
