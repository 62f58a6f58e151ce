import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findRefusals, isWarningLog, logFolder } from '../../../../../agent/asterisk/proof/asteriskLog.ts';
import { dialplanShowSteps } from '../../../../../agent/asterisk/proof/dialplanShow.ts';
import { judgeSteps } from '../../../../../agent/asterisk/proof/judgePlan.ts';
import type { Steps } from '#core/steps.ts';
import { folderWorld } from '../../../../support/dialplan/folderWorld.ts';
import { judgePlan, readDialplan, readDialplanShow } from '../../../../support/dialplan/atOnce.ts';

const SHOW = `[ Context 'b' created by 'pbx_config' ]
  '_X.' (CID match '5') =>  hint: SIP/1                           [b.conf:6]
     [lab]          2. Answer()                                   [b.conf:7]

[ Context 'parkedcalls' created by 'res_parking' ]
  '700' =>          1. Park()                                     [res_parking]

-= 2 extensions (3 priorities) in 2 contexts. =-
`;

test('dialplan show is read with files, lines, callers and hints', () => {
  const place = { context: 'b', extension: '_X.', caller: '5', file: 'b.conf' };
  assert.deepEqual(readDialplanShow(SHOW), {
    isWhole: true,
    priorities: [
      { ...place, shown: 'hint: SIP/1', counted: 6 },
      { ...place, shown: '2. Answer()', counted: 7 },
    ],
  });
});

test('a file name with brackets is read, too', () => {
  const show = SHOW.replaceAll('b.conf', 'x [1].conf').replace('Answer()', 'NoOp( [1:2])');
  const { isWhole, priorities } = readDialplanShow(show);
  assert.equal(isWhole, true);
  assert.deepEqual(
    priorities.map(({ shown, file }) => [shown, file]),
    [
      ['hint: SIP/1', 'x [1].conf'],
      ['2. NoOp( [1:2])', 'x [1].conf'],
    ],
  );
});

test('a truncated or missing answer does not count as a plan', () => {
  assert.equal(readDialplanShow(SHOW.slice(0, 200)).isWhole, false);
  assert.equal(readDialplanShow('').isWhole, false);
});

test('the words of a refusal are found in the log, those about single lines are not', () => {
  const log = `[Nov 24 14:16:21] WARNING[1] config.c: No '=' (equal sign) in line 6 of /x/c.conf
[Nov 24 14:16:21] WARNING[1] config.c: parse error: no closing ']', line 9 of /etc/asterisk/extensions_extra.d/b.conf
`;
  assert.deepEqual(findRefusals(log), [
    {
      message: "parse error: no closing ']', line 9 of /etc/asterisk/extensions_extra.d/b.conf",
      file: 'b.conf',
      counted: 9,
    },
  ]);
});

test('Asterisk reports where it logs, with long paths cut', () => {
  const row = '/var/log/asterisk/messages          File     default    Enabled    - NOTICE WARNING ERROR';
  assert.equal(isWarningLog('/var/log/asterisk/messages', row), true);
  assert.equal(isWarningLog('/var/log/asterisk/messages.1', row), false);
  assert.equal(isWarningLog('/var/log/asterisk/messages', row.replace('WARNING', '')), false);
  const cut = '/var/log/a-very-long-name/of-folders/messages'.slice(0, 35);
  assert.equal(isWarningLog('/var/log/a-very-long-name/of-folders/messages', row.replace(/^\S+/, cut)), true);
  assert.equal(logFolder('  Log directory:               /var/log/asterisk\n'), '/var/log/asterisk');
});

function judge(files: Readonly<Record<string, string>>, show: string, words: string) {
  return judgePlan({
    reading: readDialplan(folderWorld(files)),
    live: readDialplanShow(show),
    words: findRefusals(words),
    folderName: 'extensions_extra.d',
  });
}

const ONE = { 'a.conf': '[a]\nexten => 1,1,NoOp(x)\nexten => 2,1,NoOp(y)\n' };

function show(...lines: string[]): string {
  const total = `-= 1 extension (${String(lines.length)} priorities) in 1 context. =-\n`;
  return `[ Context 'a' created by 'pbx_config' ]\n${lines.join('\n')}\n\n${total}`;
}

test('without any evidence nothing is refused', () => {
  assert.equal(judge(ONE, '', ''), undefined);
  assert.equal(judge(ONE, show("  's' =>            1. NoOp()      [extensions.conf:2]"), ''), undefined);
});

test('a file that is live in part is refused at the first line that is missing', () => {
  const refusal = judge(ONE, show("  '1' =>            1. NoOp(x)      [a.conf:2]"), '');
  assert.deepEqual([refusal?.file, refusal?.line], ['a.conf', 3]);
});

test('a line that another file defined before is no refusal', () => {
  const lines = [
    "  '1' =>       1. NoOp(x)      [a.conf:2]",
    "  '2' =>       1. Other()      [extensions.conf:9]",
  ];
  assert.equal(judge(ONE, show(...lines), ''), undefined);
});

test('words about files outside the folder are not held against it', () => {
  const words = "config.c: parse error: no closing ']', line 9 of /etc/asterisk/sip.conf\n";
  assert.equal(judge(ONE, '', words), undefined);
});

test('a hint without a device, and a file that is included again, are live as they are', () => {
  const reading = readDialplan(
    folderWorld({
      'a.conf':
        '[a]\nexten = 1,hint,\nexten = 2,1,NoOp()\n#include "extensions_extra.d/p/x"\n#include "extensions_extra.d/p/x"\n',
      'p/x': ' same = n,NoOp(x)\n',
    }),
  );
  const live = readDialplanShow(`[ Context 'a' created by 'pbx_config' ]
  '1' =>            hint:                                         [a.conf:2]
  '2' =>            1. NoOp()                                     [a.conf:3]
                    2. NoOp(x)                                    [x:1]
                    3. NoOp(x)                                    [x~~1:1]

-= 2 extensions (4 priorities) in 1 context. =-
`);
  assert.equal(live.priorities[3]?.file, 'x');
  assert.equal(judgePlan({ reading, live, words: [], folderName: 'extensions_extra.d' }), undefined);
});

test('a large plan is compared in small steps', () => {
  const lines = 5000;
  const files = { 'a.conf': `[a]\nexten = 1,1,NoOp(1)\n${' same = n,NoOp(x)\n'.repeat(lines - 1)}` };
  const reading = readDialplan(folderWorld(files));
  const output = show(
    "  '1' =>            1. NoOp(1)     [a.conf:2]",
    ...reading.priorities
      .slice(1)
      .map(({ shown = '', place }) => `     ${shown}     [a.conf:${place.counted}]`),
  );
  const counted = <T>(steps: Steps<T>): { readonly value: T; readonly count: number } => {
    for (let count = 0; ; count += 1) {
      const step = steps.next();
      if (step.done === true) return { value: step.value, count };
    }
  };
  const live = counted(dialplanShowSteps(output));
  const judged = counted(judgeSteps({ reading, live: live.value, words: [], folderName: 'x' }));
  assert.deepEqual(judged.value, { refusal: undefined, missing: new Set() });
  assert.ok(live.count >= lines / 128, `${live.count} steps to read the live plan`);
  assert.ok(judged.count >= (2 * lines) / 128, `${judged.count} steps to compare`);
  const older = readDialplanShow(output.replace('4000. NoOp(x)', '4000. NoOp(y)'));
  const refusal = judgePlan({ reading, live: older, words: [], folderName: 'x' });
  assert.deepEqual([refusal?.file, refusal?.line], ['a.conf', 4001]);
});
