import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { folderWorld } from '../../../support/dialplan/folderWorld.ts';
import { readDialplan } from '../../../support/dialplan/atOnce.ts';

/* What Asterisk makes of the lines of a context. */

const KNOWN = '[general]\n#include extensions_extra.d/*\n';

/** Reads the lines of one context, where nothing else is there that they could lean on. */
function read(lines: string, isAll = true): { plan: string[]; findings: string[] } {
  const world = folderWorld(
    { 'a.conf': `[c]\n${lines}` },
    isAll ? { '/etc/asterisk/extensions.conf': KNOWN } : {},
  );
  const { priorities, findings } = readDialplan(world);
  return {
    plan: priorities.map(
      ({ extension, caller, label, shown }) =>
        `${extension}${caller === undefined ? '' : `/${caller}`} ${shown ?? '?'}${label === undefined ? '' : ` (${label})`}`,
    ),
    findings: findings.map(({ line, severity, message }) => `${line} ${severity} ${message}`),
  };
}

function plan(lines: string): string[] {
  const { plan: found, findings } = read(lines);
  assert.deepEqual(findings, []);
  return found;
}

/** The one thing to say about these lines. */
function finding(lines: string): string {
  const { findings } = read(lines);
  assert.equal(findings.length, 1, findings.join('\n'));
  return findings[0] ?? '';
}

void describe('The priorities of an extension', () => {
  void it('count on from the line before, of whatever extension', () => {
    assert.deepEqual(
      plan(
        'exten = 1,1,A\nexten => 1,n,B(x,y)\nsame = n(here),C\n same => n+2,D\nexten = 2,n,E\nexten = 3,s,F\n',
      ),
      ['1 1. A()', '1 2. B(x,y)', '1 3. C() (here)', '1 6. D()', '2 7. E()', '3 7. F()'],
    );
    assert.match(
      finding('exten = 1,n,A\n'),
      /^2 error The priority 'n' has none before it in its section: Ast/,
    );
    assert.match(finding('same = 1,A\n'), /^2 error 'same' has no extension before it in its section/);
    // What comes before the folder may be what they lean on.
    assert.match(
      read('[d](+)\nsame = n,A\n', false).findings.at(-1) ?? '',
      /^3 warning 'same' has no extension/,
    );
  });

  void it('are named by a label that the extension has already, and never by a variable', () => {
    assert.deepEqual(plan('exten = 1,1(a),A\nexten = 1,a+101,B\n'), ['1 1. A() (a)', '1 102. B()']);
    assert.match(finding('exten = 1,1(a),A\nexten = 2,b,B\n'), /^3 error 'b' is not a priority/);
    assert.match(
      finding('exten = 1,1(a),A\nexten = 2,a,B\n'),
      /^3 warning The label 'a' is not defined before/,
    );
    assert.match(finding('exten = 1,${N},A\n'), /^2 error '\$\{N\}' is not a priority: .* variables/);
  });

  void it('are taken once: the first line wins, and the label that another one has', () => {
    assert.match(
      finding('exten = 1,1,A\nexten = 1,1,B\n'),
      /^3 error 1,1 of \[c\] is defined in a\.conf line 2 already: Asterisk drops this one/,
    );
    // The same extension, written otherwise.
    assert.match(finding('exten = _NXX,1,A\nexten = _[2-9]XX,1,B\n'), /^3 error _\[2-9\]XX,1 of/);
    assert.match(finding('exten = 1-2,1,A\nexten = 12,1,B\n'), /^3 error 12,1 of/);
    assert.match(
      finding('exten = 1,1(a),A\nexten = 1,2(a),B\n'),
      /^3 warning The label 'a' is taken by an earlier/,
    );
    assert.deepEqual(plan('exten = 1,1(a),A\nexten = 2,1(a),B\nexten = 1/5,1,C\n'), [
      '1 1. A() (a)',
      '2 1. B() (a)',
      '1/5 1. C()',
    ]);
  });

  void it('may be a hint, which no other line can count from', () => {
    assert.deepEqual(plan('exten = 1,hint,SIP/1&SIP/2\nexten = 1,1,A\n'), [
      '1 hint: SIP/1&SIP/2',
      '1 1. A()',
    ]);
    assert.match(
      finding('exten = 1,hint,SIP/1\nexten = 1,n,A\n'),
      /^3 error 'n' right after a hint counts as priority 0/,
    );
    assert.match(
      finding('exten = 1,hint,SIP/1\nexten = 1,hint,SIP/2\n'),
      /^3 error 1,hint of \[c\] is defined/,
    );
  });

  void it('are dropped where they can not be read', () => {
    for (const [line, message] of [
      ['exten = 1,0,A', /The priority 0 is below 1/],
      ['exten = 1,,A', /There is no priority after the extension/],
      ['exten = 1', /There is no priority after the extension/],
      ['exten = 1,1(a,A', /The label of the priority has no closing '\)'/],
      ['exten = ,1,A', /There is no extension before the priority/],
      ['extent = 1,1,A', /'extent' means nothing in a context/],
    ] as const)
      assert.match(finding(`${line}\n`), new RegExp(`^2 error ${message.source}`), line);
    assert.deepEqual(plan('include = x\nswitch = y\nignorepat = 9\nautohints = yes\n'), []);
  });
});

void describe('The application of a line', () => {
  void it('ends at its last parenthesis, and may be cut or missing', () => {
    assert.deepEqual(plan('exten = 1,1, Set(A=(b)) ; c\nexten = 2,1,${APP}(x)\n'), [
      '1 1. Set(A=(b))',
      '2 1. ${APP}(x)()',
    ]);
    const cut = read('exten = 1,1,Dial(SIP/1\n');
    assert.deepEqual(cut.plan, ['1 1. Dial(SIP/1)']);
    assert.match(cut.findings.join(), /^2 warning The application Dial has no closing '\)'/);
    const none = read('exten = 1,1\n');
    assert.deepEqual(none.plan, ['1 1. ()']);
    assert.match(none.findings.join(), /^2 warning There is no application/);
  });
});

void describe('An extension that only Asterisk knows', () => {
  void it('may stand in the way of every later line of its context, and is judged no further', () => {
    assert.deepEqual(plan('exten = 1,1,A\nexten = ${X},1,B\nexten = 3,1,C\nexten = ${X},1,D\n'), [
      '1 1. A()',
      '${X} ?',
      '3 ?',
      '${X} ?',
    ]);
  });

  void it('is a pattern whose set is not closed: it will not match as it was meant', () => {
    assert.match(finding('exten = _[1-9,1,A\n'), /^2 /);
    assert.match(finding('exten = _X[1-9]X[2,1,A\n'), /^2 /);
  });
});

void describe('A section that is no context', () => {
  void it('has no priorities', () => {
    const world = folderWorld({
      'a.conf': '[globals]\nexten = 1,1,A\n[GENERAL]\nx = y\n[t](!)\nexten = 1,1,B\n',
    });
    const { priorities, findings } = readDialplan(world);
    assert.deepEqual([priorities, findings], [[], []]);
  });
});
