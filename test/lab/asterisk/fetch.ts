import { fetchAsterisk } from './root.ts';

/** Fetches the Asterisk that the lab tests and the demo use: `node test/lab/asterisk/fetch.ts`, as root. */
const root = fetchAsterisk();
if (root.missing === undefined) {
  console.log(root.folder);
} else {
  console.error(`There is no Asterisk: ${root.missing}.`);
  process.exitCode = 1;
}
