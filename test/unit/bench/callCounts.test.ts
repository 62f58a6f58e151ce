import assert from 'node:assert/strict';
import { it } from 'node:test';
import { callsIn } from '../../bench/callCounts.ts';

void it('The table of strace -c is read with and without errors, and its total is no call', () => {
  const table = `% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 60.00    0.001200           1      1100        51 openat
 40.00    0.000800           0         2           write
  0.00    0.000000           0         1         1 rt_sigreturn
------ ----------- ----------- --------- --------- ----------------
100.00    0.002000           1      1103        52 total
`;
  assert.deepEqual(
    callsIn(table),
    new Map([
      ['openat', 1100],
      ['write', 2],
      ['rt_sigreturn', 1],
    ]),
  );
});
