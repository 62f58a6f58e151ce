import { createInterface } from 'node:readline';
import { Relay, type RelayOrder } from './relay.ts';

/** `relayProcess.ts HOST PORT`: prints the port it listens on, then carries out the orders of standard input, one a line. */
const [host = '', port = ''] = process.argv.slice(2);
const relay = new Relay({ host, port: Number(port) });
process.stdout.write(`${await relay.port}\n`);
const orders = createInterface(process.stdin);
orders.on('line', (line) => relay.carryOut(JSON.parse(line) as RelayOrder));
// Its parent has ended.
orders.on('close', () => process.exit(0));
