import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { en, fr, type MessageKey } from '../../../../controller/page/client/messages.ts';

const places = (text: string): string[] => [...text.matchAll(/\{\w+\}/g)].map(([name]) => name).toSorted();

describe('The texts of the page', () => {
  it('are complete in French, with the same values in each', () => {
    assert.deepEqual(Object.keys(fr).toSorted(), Object.keys(en).toSorted());
    for (const key of Object.keys(en) as MessageKey[]) {
      assert.notEqual(fr[key].trim(), '', key);
      assert.deepEqual(places(fr[key]), places(en[key]), key);
    }
  });
});
