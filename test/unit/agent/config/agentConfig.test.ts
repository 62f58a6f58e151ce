import assert from 'node:assert/strict';
import test from 'node:test';
import { parseAgentConfig } from '../../../../agent/config/agentConfig.ts';
import { agentConfigText } from '#host/config/defaultText.ts';

const parse = (yaml: string) => parseAgentConfig('agent.yml', yaml);

void test('the defaults are those of a XiVO media server', () => {
  assert.deepEqual(parse(''), {
    asterisk: ['/usr/sbin/asterisk'],
    bandwidth: { rate: 0 },
    directories: [],
    allow: ['/etc/asterisk', '/var/lib/xivo', '/var/lib/asterisk', '/usr/share/asterisk/agi-bin'],
    trash: { keepMs: 2_592_000_000 },
    reserveBytes: 67_108_864,
  });
});

void test('the file that enroll writes changes no default, also with its comment signs taken away', () => {
  const text = agentConfigText();
  assert.deepEqual(parse(text), parse(''));
  const uncommented = text.replace(/^#(?! )|^#(?= {2}(- |[a-z]+:| {2}[a-z]+:))/gm, '');
  assert.match(uncommented, /^asterisk: .*\n\n[^]*^allow:\n {2}- \/etc\/asterisk$/m);
  assert.deepEqual(parse(uncommented), parse(''));
});

void test('enroll writes the Main and the name it was given, as text whatever they look like', () => {
  const main = { host: 'fd00::1', port: 9443 };
  assert.deepEqual(parse(agentConfigText({ main, name: '10' })), { ...parse(''), main, name: '10' });
});

void test('every key is read', () => {
  assert.deepEqual(
    parse(`main: xivo.example:9000
name: mds1
localAddress: 10.0.0.2
asterisk: /usr/sbin/asterisk -C '/etc/my asterisk/asterisk.conf'
bandwidth: { limit: 10MiB, hours: "22:00-06:30" }
allow: [/srv]
directories: [{ name: moh, path: /srv/moh }, { name: sounds }]
trash: { keep: 1d }
reserve: 1GiB
`),
    {
      main: { host: 'xivo.example', port: 9000 },
      name: 'mds1',
      localAddress: '10.0.0.2',
      asterisk: ['/usr/sbin/asterisk', '-C', '/etc/my asterisk/asterisk.conf'],
      bandwidth: { rate: 10_485_760, hours: { from: 1320, to: 390 } },
      allow: ['/srv'],
      directories: [
        { name: 'moh', path: '/srv/moh' },
        { name: 'sounds', path: '/var/lib/xivo/sounds' },
      ],
      trash: { keepMs: 86_400_000 },
      reserveBytes: 1_073_741_824,
    },
  );
  assert.deepEqual(parse('asterisk: [sudo, asterisk]').asterisk, ['sudo', 'asterisk']);
});

void test('impossible values are refused, with their keys', () => {
  const refused: [yaml: string, message: RegExp][] = [
    ['main: fd00::1', /agent\.yml:1: main: .*stands in brackets/],
    ['main: [fd00::1]:9443', /needs quotes/],
    ['main:', /agent\.yml:1: main: an empty value is not HOST/],
    ['localAddress: eth0', /localAddress: "eth0" is not an IP address/],
    ['asterisk: ""', /asterisk: "" is not a command/],
    ['asterisk: [a, 1]', /asterisk: word 2, 1, is not text/],
    ['asterisk: a "b', /never closed/],
    ['bandwidth: 1K', /bandwidth\.limit: "1K" is too slow/],
    ['directories: [{ name: agi }]', /directories\[0\]: "agi" needs a path/],
    [
      'directories: [{ name: moh }, { name: moh, path: /a }]',
      /directories\[1\]\.name: "moh" is already used/,
    ],
    [
      'directories: [{ name: moh }, { name: a, path: /var/lib/xivo/moh }]',
      /directories\[1\]\.path: .* already used/,
    ],
    ['guard: {}', /guard: unknown key/],
  ];
  for (const [yaml, message] of refused) assert.throws(() => parse(yaml), { message }, yaml);
});
