import { dial } from '../../../agent/connection/dial.ts';
import { enrol } from './enrol.ts';
import { SharedManifests } from './sharedManifests.ts';
import { SimulatedAgent } from './simulatedAgent.ts';

/** What the parent sends first: where Main listens, and a token for each agent. */
export type Begin = { readonly port: number; readonly tokens: readonly string[] };
/** What it is sent: all agents are connected and have Main's manifests; all have the new content of a path. */
export type News = { readonly connected: number } | { readonly onAll: string };

/** So many agents enrol and connect at a time: Main bounds the connections that are not authenticated yet. */
const AT_A_TIME = 20;

process.once('message', (begin: Begin) => void run(begin));
process.once('disconnect', () => process.exit());

async function run({ port, tokens }: Begin): Promise<void> {
  const manifests = new SharedManifests();
  const counts = new Map<string, number>();
  const onContent = (path: string): void => {
    const count = (counts.get(path) ?? 0) + 1;
    counts.set(path, count);
    if (count === tokens.length) say({ onAll: path });
  };
  const connect = async (token: string): Promise<void> => {
    const { name, dialOptions } = await enrol(port, token);
    await new SimulatedAgent(name, await dial(dialOptions), manifests, onContent).ready;
  };
  const [first = '', ...others] = tokens;
  await connect(first);
  while (others.length > 0) await Promise.all(others.splice(0, AT_A_TIME).map(connect));
  say({ connected: tokens.length });
}

function say(news: News): void {
  process.send?.(news);
}
