import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OpenFolders } from '#host/fs/openFolders.ts';
import { agreedPaths } from '../../../../../agent/directory/renamedFolder/agreedPaths.ts';
import { AgentPlace } from '../../../../support/unit/agentPlace.ts';

test('a folder of too many names is not looked at to the end', async (t) => {
  const place = await AgentPlace.make(t, { 'folder/a': 'a', 'folder/deep/b': 'b' });
  const { replica } = place.sync;
  const names = ['folder', 'folder/a', 'folder/deep', 'folder/deep/b'];
  place.db.transaction(() => names.forEach((name) => place.agreed.agree(name, place.entry(name))));
  using open = new OpenFolders(place.place.path);
  const known = { at: 'folder', as: 'folder' };
  const found = (most: number) => agreedPaths(known, open, replica, place.agreed.ledger, most);
  assert.deepEqual([...(found(4) ?? [])].sort(), names);
  assert.equal(found(3), undefined);
});
