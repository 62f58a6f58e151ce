import assert from 'node:assert/strict';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { describe, it } from 'node:test';
import { Owners } from '#host/fs/owners.ts';

describe('The users and groups of this host', () => {
  it('are read again, and have another revision, when one of their files has changed', (t) => {
    const owners = new Owners();
    assert.deepEqual([owners.userName(0), owners.groupNumber('root', 7)], ['root', 0]);
    owners.refresh();
    assert.equal(owners.revision, 0);
    const { statSync } = fs;
    let changed = '/etc/group';
    t.mock.method(fs, 'statSync', (path: string) => {
      const { mtimeMs } = statSync(path);
      return { mtimeMs: path === changed ? mtimeMs + 1 : mtimeMs };
    });
    syncBuiltinESMExports();
    t.after(() => {
      fs.statSync = statSync;
      syncBuiltinESMExports();
    });
    owners.refresh();
    assert.equal(owners.revision, 1);
    assert.equal(owners.groupName(0), 'root');
    changed = '/etc/passwd';
    owners.refresh();
    // The group file was noticed in its changed state, and is back in the first one.
    assert.equal(owners.revision, 3);
  });
});
