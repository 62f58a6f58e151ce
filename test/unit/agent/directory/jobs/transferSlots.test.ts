import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { TransferSlots } from '../../../../../agent/directory/jobs/transferSlots.ts';

void test('two slots are lent, in the order of the calls, and a slot that is given back twice is lent once', async () => {
  const slots = new TransferSlots();
  const lent: { readonly name: string; readonly slot: Disposable }[] = [];
  for (const name of ['a', 'b', 'c', 'd', 'e']) void slots.take().then((slot) => lent.push({ name, slot }));
  const names = async (): Promise<string> => {
    await turn();
    return lent.map(({ name }) => name).join('');
  };
  assert.equal(await names(), 'ab');
  lent[1]?.slot[Symbol.dispose]();
  lent[1]?.slot[Symbol.dispose]();
  assert.equal(await names(), 'abc');
  lent[0]?.slot[Symbol.dispose]();
  lent[2]?.slot[Symbol.dispose]();
  assert.equal(await names(), 'abcde');
});
