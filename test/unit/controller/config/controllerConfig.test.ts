import assert from 'node:assert/strict';
import test from 'node:test';
import { parseControllerConfig } from '../../../../controller/config/controllerConfig.ts';
import { controllerConfigText } from '#host/config/defaultText.ts';

const parse = (yaml: string) => parseControllerConfig('controller.yml', yaml);
const directory = (yaml: string) => {
  const name = /name: ([a-z]+)/.exec(yaml)?.[1];
  return parse(`directories:\n  - ${yaml}\n`).directories.find((each) => each.name === name);
};

const EVERYWHERE = ['.DS_Store', 'Thumbs.db', 'lost+found'];
const LEFT_OVERS = [
  '*~',
  '*.bak',
  '*.orig',
  '*.rej',
  '*.save',
  '*.dpkg-*',
  '*.rpm*',
  '.*.sw?',
  '\\#*#',
  '4913',
];

void test("patterns of one's own come after the defaults", () => {
  assert.deepEqual(directory("{ name: moh, exclude: ['*.tmp', '!Thumbs.db'] }")?.exclude, [
    ...EVERYWHERE,
    '*.tmp',
    '!Thumbs.db',
  ]);
  assert.throws(() => directory("{ name: moh, exclude: ['#x'] }"), /exclude.*is a comment/);
});

void test('the defaults are those of a XiVO', () => {
  const oneWay = {
    direction: 'to-mds',
    deletions: 'main',
    reloadAlways: false,
    exclude: EVERYWHERE,
    settleMs: 300,
  };
  assert.deepEqual(parse(''), {
    listen: { host: '0.0.0.0', port: 9443 },
    reconcile: { everyMs: 900_000 },
    directories: [
      {
        ...oneWay,
        name: 'dialplan',
        path: '/etc/asterisk/extensions_extra.d',
        reload: 'dialplan',
        lint: 'block',
        exclude: [...EVERYWHERE, ...LEFT_OVERS],
      },
      { ...oneWay, name: 'moh', path: '/var/lib/xivo/moh', reload: 'moh', lint: 'off' },
      { ...oneWay, name: 'sounds', path: '/var/lib/xivo/sounds', reload: 'none', lint: 'off' },
      {
        name: 'recordings',
        path: '/var/lib/xivo/sounds/recordings',
        direction: 'both',
        deletions: 'main',
        reload: 'none',
        reloadAlways: false,
        lint: 'off',
        exclude: EVERYWHERE,
        settleMs: 2000,
      },
    ],
    trash: { keepMs: 2_592_000_000, budgetBytes: 4_294_967_296 },
    guard: { percent: 25, files: 10 },
    reserveBytes: 67_108_864,
    mediaServers: { source: 'enrolled' },
    certificates: { lifeMs: 7_776_000_000 },
    canary: [],
    bandwidth: { all: { rate: 0 }, mds: {} },
    monitoring: { group: 'adm' },
    page: { enabled: undefined, listen: { host: '127.0.0.1', port: 9444 } },
    metrics: { enabled: undefined, listen: { host: '127.0.0.1', port: 9444 } },
    notify: [],
  });
});

void test('the file that init writes changes no default, also with its comment signs taken away', () => {
  const text = controllerConfigText();
  assert.deepEqual(parse(text), parse(''));
  const uncommented = text.replace(/^#(?! )|^#(?= {2}(- |[a-z]+:| {2}[a-z]+:))/gm, '');
  assert.match(uncommented, /^directories:\n {2}- name: dialplan\n {4}path: /m);
  assert.deepEqual(parse(uncommented), parse(''));
  for (const key of [
    'listen',
    'reconcile',
    'settle',
    'reload',
    'trash',
    'guard',
    'reserve',
    'mediaServers',
    'certificates',
    'canary',
    'bandwidth',
    'page',
    'metrics',
    'notify',
  ]) {
    assert.match(uncommented, new RegExp(`^${key}:`, 'm'));
  }
});

void test('init writes the address it was given', () => {
  const listen = { host: 'fd00::1', port: 9000 };
  assert.deepEqual(parse(controllerConfigText({ listen })), { ...parse(''), listen });
});

void test('the example of the documentation is accepted', () => {
  const config = parse(`listen: 0.0.0.0:9443
reconcile: { every: 15m }
settle: 300ms
directories:            # shown: the defaults, abridged
  - { name: dialplan, path: /etc/asterisk/extensions_extra.d, direction: to-mds, deletions: main, reload: dialplan, lint: block }
  - { name: recordings, path: /var/lib/xivo/sounds/recordings, direction: both, deletions: main, settle: 2s }
trash: { keep: 30d }
guard: { percent: 25, files: 10 }
mediaServers: { source: enrolled }     # or postgres / http: XiVO's own list
`);
  assert.deepEqual(config, parse(''));
});

void test('an entry with a default name brings the other keys along', () => {
  assert.deepEqual(directory('{ name: recordings, deletions: both, maxBytes: 20GiB }'), {
    ...parse('').directories[3],
    deletions: 'both',
    maxBytes: 21_474_836_480,
  });
});

void test('any other entry needs a path and is one-way, without reload', () => {
  assert.deepEqual(directory('{ name: agi, path: /usr/share/agi/ }'), {
    name: 'agi',
    path: '/usr/share/agi',
    direction: 'to-mds',
    deletions: 'main',
    reload: 'none',
    reloadAlways: false,
    lint: 'off',
    exclude: EVERYWHERE,
    settleMs: 300,
  });
  assert.throws(() => directory('{ name: agi }'), /:2: directories\[0\]: "agi" needs a path/);
  assert.throws(() => directory('{ path: /a }'), /:2: directories\[0\]\.name: this key is required/);
});

void test('a directory of its own with dialplan in it is linted', () => {
  assert.equal(directory('{ name: plan, path: /a, reload: dialplan }')?.lint, 'block');
  assert.equal(directory('{ name: plan, path: /a, reload: dialplan, lint: warn }')?.lint, 'warn');
});

void test('reload: always, for all directories or for one, is the old behaviour', () => {
  const always = (yaml: string) =>
    parse(yaml).directories.map(({ reload, reloadAlways }) => [reload, reloadAlways]);
  assert.deepEqual(always('reload: always'), [
    ['dialplan', true],
    ['moh', true],
    ['none', false],
    ['none', false],
  ]);
  assert.deepEqual(always('directories: [{ name: moh, reload: always }, { name: dialplan }]'), [
    ['dialplan', false],
    ['moh', true],
    ['none', false],
    ['none', false],
  ]);
  assert.throws(
    () => directory('{ name: sounds, reload: always }'),
    /does not say what to reload in "sounds"/,
  );
});

void test('what contradicts itself is refused at its key', () => {
  const refused: [yaml: string, message: RegExp][] = [
    [
      '{ name: moh, deletions: both }',
      /directories\[0\]\.deletions: "both" is only possible with direction: both/,
    ],
    ['{ name: moh, maxBytes: 1GiB }', /directories\[0\]\.maxBytes: only possible with direction: both/],
    ['{ name: UP, path: /a }', /"UP" is not a directory name/],
    ['{ name: a, path: b/c }', /"b\/c" is not an absolute path/],
    ['{ name: a, path: / }', /the whole disk/],
    ['{ name: a, path: /b/../c }', /\.path: "\/b\/\.\.\/c" is not a normal path; write \/c/],
    [
      '{ name: moh }\n  - { name: moh }',
      /:3: directories\[1\]\.name: "moh" is already used by directories\[0\]/,
    ],
    ['{ name: moh }\n  - { name: b, path: /var/lib/xivo/moh/ }', /directories\[1\]\.path: .* already used/],
  ];
  for (const [yaml, message] of refused) assert.throws(() => directory(yaml), { message }, yaml);
});

void test('times that make no sense are refused', () => {
  assert.throws(
    () => parse('reconcile: { every: 10ms }'),
    /reconcile\.every: "10ms" is too short; at least 1 s/,
  );
  assert.throws(() => parse('reconcile: { every: 30d }'), /too long; at most 7 days/);
  assert.throws(() => parse('settle: 2h'), /too long; at most 1 h/);
});

void test('the list of media servers may come from XiVO', () => {
  const from = (yaml: string) => parse(`mediaServers: ${yaml}`).mediaServers;
  assert.deepEqual(from('{ source: postgres }'), { source: 'postgres' });
  assert.deepEqual(from('{ source: http, url: "http://main:9100/x", token: t }'), {
    source: 'http',
    url: 'http://main:9100/x',
    token: 't',
  });
  assert.deepEqual(from(''), { source: 'enrolled' });
  assert.throws(() => from('{ source: http }'), /mediaServers\.url: source: http needs the URL/);
  assert.throws(() => from('{ query: select 1 }'), /mediaServers\.query: only used with source: postgres/);
});

void test('canaries are names of MDS', () => {
  assert.deepEqual(parse('canary: [mds1]').canary, ['mds1']);
  assert.throws(() => parse('canary: [../x]'), /canary\[0\]: "\.\.\/x" is not an MDS name/);
  assert.throws(() => parse('canary: [10]'), /canary\[0\]: 10 is not text; put it in quotes/);
});

void test('directories add to the four of a XiVO, and one of these is left out by saying so', () => {
  const names = (yaml: string) => parse(`directories: ${yaml}`).directories.map(({ name }) => name);
  const four = ['dialplan', 'moh', 'sounds', 'recordings'];
  assert.deepEqual(names('[{ name: agi, path: /var/lib/xivo/agi-bin }]'), [...four, 'agi']);
  assert.deepEqual(names('[{ name: moh, lint: off }]'), four);
  assert.deepEqual(names('[{ name: moh, enabled: false }]'), ['dialplan', 'sounds', 'recordings']);
  assert.deepEqual(names('[{ name: agi, path: /a, enabled: false }]'), four);
  assert.throws(() => names('[]'), /controller\.yml:1: directories: an empty list/);
  assert.throws(() => names('[{ name: moh, enabled: no }]'), /enabled: "no" is neither true nor false/);
  const none = four.map((name) => `{ name: ${name}, enabled: false }`).join(', ');
  assert.throws(() => names(`[${none}]`), /directories: nothing is left/);
  assert.throws(() => names('[{ name: b, path: /var/lib/xivo/moh }]'), /already used by "moh"/);
  assert.deepEqual(names('[{ name: b, path: /var/lib/xivo/moh }, { name: moh, enabled: false }]'), [
    'dialplan',
    'sounds',
    'recordings',
    'b',
  ]);
});

void test('bandwidth is for all MDS, for a part of the day, or for one MDS', () => {
  const of = (yaml: string) => parse(`bandwidth: ${yaml}`).bandwidth;
  assert.deepEqual(of('20Mbit'), { all: { rate: 2_500_000 }, mds: {} });
  assert.deepEqual(of('{ limit: 20Mbit, hours: "08:00-18:00" }').all, {
    rate: 2_500_000,
    hours: { from: 480, to: 1080 },
  });
  assert.deepEqual(of('{ mds: { mds1: 4Mbit } }'), { all: { rate: 0 }, mds: { mds1: { rate: 500_000 } } });
  assert.throws(
    () => of('{ limit: 20Mbit, hours: 8-18 }'),
    /bandwidth\.hours: "8-18" is not a part of the day/,
  );
  assert.throws(() => of('{ hours: "08:00-18:00" }'), /bandwidth\.hours: only used with a limit/);
  assert.throws(() => of('1kbit'), /too slow/);
  assert.throws(() => of('20 apples'), /"20 apples" is not a rate/);
  assert.throws(() => of('{ mds: { "a b": 4Mbit } }'), /is not an MDS name|mds/);
});
