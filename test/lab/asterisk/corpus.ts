/**
 * A dialplan folder and what becomes of it: `good` is taken whole, `broken` loses something in Asterisk, and
 * `doubt` may lose something, depending on what is outside the folder.
 */
export type CorpusCase = {
  readonly name: string;
  readonly verdict: 'good' | 'broken' | 'doubt';
  /** By name; a string stands for its UTF-8. */
  readonly files: Readonly<Record<string, string | Buffer>>;
};

function one(verdict: CorpusCase['verdict'], name: string, text: string | Buffer): CorpusCase {
  return { name, verdict, files: { 'a.conf': text } };
}

const good = (name: string, text: string | Buffer): CorpusCase => one('good', name, text);
const broken = (name: string, text: string | Buffer): CorpusCase => one('broken', name, text);
const doubt = (name: string, text: string | Buffer): CorpusCase => one('doubt', name, text);

const GOOD: readonly CorpusCase[] = [
  good('a plain context', '[a]\nexten => 100,1,Answer()\nexten => 100,2,Hangup()\n'),
  good('a single equals sign', '[a]\nexten = 100,1,Answer()\nexten=100,2,Hangup\n'),
  good('a long block comment on one line', `[a]\n;-- ${'x'.repeat(9_000)} --;\nexten => 2,1,NoOp()\n`),
  good('a long comment that begins a block', `[a]\n; ${'x'.repeat(9_000)} ;-- x\nexten => 2,1,NoOp()\n`),
  good(
    'a template whose name is cut',
    `[${'t'.repeat(85)}](!)\nexten => 1,1,NoOp()\n[b](${'t'.repeat(79)})\n`,
  ),
  good('same', '[a]\nexten => 100,1,Answer()\nsame => n,Playback(hello)\n same => n,Hangup()\n'),
  good('names in any case', '[a]\nEXTEN => 100,1,Answer()\nSame => n,Hangup()\nInclude => b\n[b]\n'),
  good('labels', '[a]\nexten => 100,1(start),NoOp()\nsame => n(again),Goto(start)\nsame => n,Goto(again)\n'),
  good('priorities with an offset', '[a]\nexten => 100,1,NoOp()\nexten => 100,n+10,Hangup()\n'),
  good(
    'a label with an offset',
    '[a]\nexten => 100,1(dial),Dial(SIP/1)\nexten => 100,2,Hangup()\nexten => 100,dial+101,Busy()\n',
  ),
  good('the priority s', '[a]\nexten => 100,1,NoOp()\nexten => 101,s,NoOp()\n'),
  good('a word for next', '[a]\nexten => 100,1,NoOp()\nexten => 100,next,NoOp()\n'),
  good('hints', '[a]\nexten => 100,hint,SIP/100\nexten => 100,1,NoOp()\nexten => 101,hint,SIP/1&Custom:x\n'),
  good('a hint with a variable', '[a]\nexten => 100,hint,SIP/${EXTEN}\nexten => _2XX,hint,SIP/${EXTEN}\n'),
  good('patterns', '[a]\nexten => _NXXZ.,1,NoOp()\nexten => _9011!,1,NoOp()\nexten => _[1-4,7]X,1,NoOp()\n'),
  good('patterns with dashes', '[a]\nexten => _NXX-XXXX,1,NoOp()\nexten => 555-1212,1,NoOp()\n'),
  good('special extensions', '[a]\nexten => s,1,NoOp()\nexten => h,1,NoOp()\nexten => i,1,NoOp()\n'),
  good('a star and a hash', '[a]\nexten => *98,1,NoOp()\nexten => #1,1,NoOp()\nexten => _*1X,1,NoOp()\n'),
  good(
    'a caller to match',
    '[a]\nexten => 100/555,1,NoOp(x)\nexten => 100,1,NoOp(y)\nexten => _X./_5XX,1,NoOp()\n',
  ),
  good('an application without parentheses', '[a]\nexten => 100,1,Hangup\n'),
  good('an application that is empty', '[a]\nexten = 201,1\nexten = 201,2,\n'),
  good('an unknown application', '[a]\nexten => 100,1,NoSuchThing(x)\n'),
  good(
    'nested parentheses',
    '[a]\nexten => 100,1,Set(X=${IF($["${A}" = "b"]?c:d)})\nsame => n,GotoIf($[${X}>1]?a,1:b,1)\n',
  ),
  good('text after the last parenthesis', '[a]\nexten => 100,1,NoOp(x) trailing\n'),
  good('a missing parenthesis', '[a]\nexten => 100,1,NoOp(x\nexten => 101,1,NoOp()\n'),
  good('commas in arguments', '[a]\nexten => 100,1,Dial(SIP/1&SIP/2,20,tTwW)\n'),
  good('an escaped semicolon', '[a]\nexten => 100,1,Set(X=a\\;b)\nsame => n,NoOp(c\\;d) ; and a comment\n'),
  good('an escaped comma', '[a]\nexten => 100,1,NoOp(a\\,b)\n'),
  good(
    'comments',
    '; a comment\n;another\n[a] ; here too\nexten => 100,1,NoOp() ; and here\n;;; ;\n;-----------\n',
  ),
  good('a block comment', '[a]\n;-- exten => 1,1,No\n[b\nfoo --;\nexten => 100,1,NoOp()\n'),
  good('nested block comments', '[a]\n;-- one\n;-- two --;\nstill --;\nexten => 100,1,NoOp()\n'),
  good('a block comment within a line', '[a]\nexten => 100,1,NoOp(;-- hidden --;shown)\n'),
  good('a block comment that ends within a line', '[a]\n;--\nhidden --;exten => 100,1,NoOp()\n'),
  good(
    'a ruler of dashes',
    ';-------------------;\n[a]\nexten => 100,1,NoOp()\n;---\nexten => 101,1,NoOp()\n',
  ),
  good('a template', '[a](!)\nexten => 100,1,NoOp()\nsame => n,Hangup()\n[b](a)\nexten => 200,1,NoOp()\n'),
  good('a template goes on with same', '[a](!)\nexten => 100,1,NoOp()\n[b](a)\nsame => n,Hangup()\n'),
  good(
    'two templates',
    '[a](!)\nexten => 1,1,NoOp()\n[b](!,a)\nexten => 2,1,NoOp()\n[c](b)\n[d](a)\ninclude => c\n',
  ),
  good('a template in another case', '[Base](!)\nexten => 1,1,NoOp()\n[c](bASE)\n'),
  good('an unused template with rubbish', '[a](!)\nwhatever = 1\nexten => 1\n[b]\nexten => 1,1,NoOp()\n'),
  good(
    'adding to a section',
    '[a]\nexten => 1,1,NoOp()\n[b]\nexten => 1,1,NoOp()\n[a](+)\nsame => n,Hangup()\n',
  ),
  good('a section twice', '[a]\nexten => 1,1,NoOp()\n[a]\nexten => 1,2,NoOp()\n'),
  good('the same extension in two contexts', '[a]\nexten => 1,1,NoOp()\n[A]\nexten => 1,1,NoOp()\n'),
  good('includes of contexts', '[a]\ninclude => b\ninclude => c,9:00-17:00,mon-fri,*,*\n[b]\n[c]\n'),
  good('an include of an unknown context', '[a]\ninclude => nowhere\nexten => 1,1,NoOp()\n'),
  good(
    'switches',
    '[a]\nswitch => Realtime/a@b\nlswitch => Loopback/x\neswitch => IAX2/${X}\nignorepat => 9\n',
  ),
  good('autohints', '[a]\nautohints = yes\nexten => 1,1,NoOp()\n'),
  good('globals', '[globals]\nFOO = bar\nTRUNK=SIP/x\n[a]\nexten => 1,1,NoOp(${FOO})\n'),
  good('anything goes in general', '[general]\nwhatever = 1\n[a]\nexten => 1,1,NoOp()\n'),
  good(
    'a variable as extension',
    '[globals]\nFOO = 700\n[a]\nexten => ${FOO},1,NoOp()\nsame => n,Hangup()\n',
  ),
  good(
    'a variable as caller',
    '[globals]\nC = 55\n[a]\nexten => 100/${C},1,NoOp(x)\nsame => n,Hangup()\nexten => 100,1,NoOp(y)\n',
  ),
  good(
    'a variable in a part of an extension, and an expression',
    '[globals]\nX = 7\n[a]\nexten => _${X}XX,1,NoOp(x)\nexten => $[1 + 2],1,NoOp(y)\nexten => 9,1,NoOp(z)\n',
  ),
  good(
    'a variable where it stands for itself',
    '[${X}](!)\nexten => 1,1(${L}),NoOp()\n[a](${X})\ninclude => ${X}\nexten => 2,1,NoOp()\nexten => 2,n+${O},NoOp()\n',
  ),
  good('text after a header', '[a] whatever\nexten => 1,1,NoOp()\n'),
  good('a header with blanks before it', '   [a]\n\texten => 1,1,NoOp()\n'),
  good('CRLF', '[a]\r\nexten => 1,1,NoOp(x)\r\nsame => n,Hangup()\r\n'),
  good('no newline at the end', '[a]\nexten => 1,1,NoOp(x)'),
  good('UTF-8', '[a]\nexten => 1,1,NoOp(Éléonore à Besançon – ☎)\nexten => réception,1,NoOp()\n'),
  good(
    'Latin-1',
    Buffer.from('[a]\nexten => 1,1,NoOp(\xC9l\xE9onore)\nexten => r\xE9ception,1,NoOp()\n', 'latin1'),
  ),
  good('a byte order mark in the first file', '\uFEFF[a]\nexten => 1,1,NoOp()\n'),
  good('a file of comments', '; nothing\n\n;-- nor here --;\n'),
  good('an empty file', ''),
  good('#tryinclude of nothing', '[a]\n#tryinclude "/nonexistent/x.conf"\nexten => 1,1,NoOp()\n'),
  good('a line that ends in a backslash', '[a]\nexten => 1,1,NoOp(x)\\\nexten => 2,1,NoOp(y)\n'),
  good('a name that begins with a backslash', '[a]\n\\exten => 1,1,NoOp(x)\n'),
  good('an appended value', '[a]\nexten => 1,1,NoOp(x\nexten +=,y)\n'),
  good('a value with an equals sign', '[a]\nexten => 1,1,Set(A=b)\nexten => 1,n,Set(C=d=e)\n'),
  good('an empty section name', '[]\n[a]\nexten => 1,1,NoOp()\n'),
  good('a priority with digits and more', '[a]\nexten => 1,1abc,NoOp()\n'),
  good('n for another extension', '[a]\nexten => 1,1,NoOp()\nexten => 2,n,NoOp()\n'),
  good('a label twice', '[a]\nexten => 1,1(x),NoOp()\nexten => 1,2(x),NoOp()\n'),
  good(
    "XiVO's example",
    `;; This file is here to let you customize your dialplan
;[xivo-extrafeatures]
;exten = *40,1,NoOp()

[xivo-extrafeatures]
exten => *47,1,NoOp(### Custom feature ###)
same  =   n,Set(XIVO_USERID=\${CHANNEL(musicclass)})
same  =   n,GotoIf($["\${XIVO_USERID}" = ""]?end)
same  =   n,AGI(agi://\${XIVO_AGID_IP}/phone_progfunckey_devstate)
same  =   n(end),Hangup()
`,
  ),
  good(
    'a subroutine as XiVO documents it',
    `[hello]
exten = s,1,NoOp(Say hello)
same  =   n,Wait(1)
same  =   n,Answer()
same  =   n,Playback(hello-world)
same  =   n,Return()

[preprocess-by-caller]
exten = s,1,GotoIf($[\${DIALPLAN_EXISTS(sub-\${CALLERID(num)},s,1)}]?known:unknown)
same  =   n(known),Gosub(sub-\${CALLERID(num)},s,1)
same  =   n(unknown),Return()
`,
  ),
  {
    name: 'several files, one of them without a section',
    verdict: 'good',
    files: {
      'a.conf': '[a]\nexten => 1,1,NoOp(x)\n',
      'b.conf': 'same => n,Hangup()\n',
      'c.conf': '[c]\nexten => 1,1,No\n',
    },
  },
  {
    name: 'hidden files are not read',
    verdict: 'good',
    files: { '.a.conf.x': '[a\nrubbish\n', 'b.conf': '[b]\nexten => 1,1,NoOp()\n' },
  },
  {
    name: 'a suffix means nothing',
    verdict: 'good',
    files: {
      'a.conf~': '[a]\nexten => 1,1,NoOp()\n',
      'b.conf.tmp123': '[b]\nexten => 1,1,NoOp()\n',
      LISEZMOI: '; x\n',
    },
  },
  {
    name: 'a context over several files',
    verdict: 'good',
    files: {
      'a.conf': '[a]\nexten => 1,1,NoOp()\n',
      'b.conf': '[a]\nexten => 2,1,NoOp()\nexten => 1,2,NoOp()\n',
    },
  },
  {
    name: 'a template from the file before',
    verdict: 'good',
    files: { 'a.conf': '[t](!)\nexten => 1,1,NoOp()\n', 'b.conf': '[b](t)\n' },
  },
];

const BROKEN: readonly CorpusCase[] = [
  broken('a header without an end', '[a]\nexten => 1,1,NoOp()\n[b\nexten => 2,1,NoOp()\n'),
  broken('a header cut at the end of the file', '[a]\nexten => 1,1,NoOp()\n[b'),
  broken('options of a header without an end', '[t](!)\n[a](t\nexten => 1,1,NoOp()\n'),
  broken('an include of nothing', '[a]\n#include "/nonexistent/x.conf"\nexten => 1,1,NoOp()\n'),
  broken(
    'an include of a pattern that matches nothing',
    '[a]\n#include /nonexistent/*.conf\nexten => 1,1,NoOp()\n',
  ),
  broken('an include of a folder', '[a]\n#include </>\nexten => 1,1,NoOp()\n'),
  broken('an include in angle brackets of nothing', '[a]\n#include <nonexistent.conf>\n'),
  broken('an include that names nothing', '[a]\n#include\nexten => 1,1,NoOp()\n'),
  broken('an unknown directive', '[a]\n#define x\nexten => 1,1,NoOp()\n'),
  broken('a comment that begins with a hash', '# a comment\n[a]\nexten => 1,1,NoOp()\n'),
  broken('a comment that begins with slashes', '[a]\n// a comment\nexten => 1,1,NoOp()\n'),
  broken('plain text', '[a]\nexten => 1,1,NoOp()\nThis is a note to myself\n'),
  broken('a line cut before its equals sign', '[a]\nexten => 1,1,NoOp()\next'),
  broken('a line that goes on in the next one', '[a]\nexten => 1,1,Dial(SIP/1,\\\n   20,tT)\n'),
  broken('a set of characters without an end', '[a]\nexten => _[1-3,1,NoOp()\nexten => 2,1,NoOp()\n'),
  broken('a variable as priority', '[globals]\nP = 1\n[a]\nexten => 1,${P},NoOp()\nexten => 2,1,NoOp()\n'),
  broken('a variable as label', '[globals]\nL = x\n[a]\nexten => 1,1(x),NoOp()\nexten => 1,${L}+1,NoOp()\n'),
  broken('an include of a variable', '[globals]\nF = /dev/null\n[a]\n#include "${F}"\nexten => 1,1,NoOp()\n'),
  broken('no priority', '[a]\nexten => 1\nexten => 2,1,NoOp()\n'),
  broken('no priority but an application', '[a]\nexten => 1,NoOp(x)\nexten => 2,1,NoOp()\n'),
  broken('an empty priority', '[a]\nexten => 1,,NoOp()\n'),
  broken('an empty exten', '[a]\nexten =>\nexten => 2,1,NoOp()\n'),
  broken('no extension', '[a]\nexten => ,1,NoOp()\nexten => 2,1,NoOp()\n'),
  broken('priority zero', '[a]\nexten => 1,0,NoOp()\n'),
  broken('a priority below zero', '[a]\nexten => 1,-3,NoOp()\n'),
  broken('n before any priority', '[a]\nexten => 1,n,NoOp()\nexten => 1,1,NoOp()\n'),
  broken('n at the start of the next section', '[a]\nexten => 1,1,NoOp()\n[b]\nexten => 1,n,NoOp()\n'),
  broken('same before any exten', '[a]\nsame => n,NoOp()\nexten => 1,1,NoOp()\n'),
  broken('n right after a hint', '[a]\nexten => 1,hint,SIP/1\nexten => 1,n,NoOp()\n'),
  broken('a priority twice', '[a]\nexten => 1,1,NoOp(x)\nexten => 1,1,NoOp(y)\n'),
  broken(
    'a priority twice, one with dashes',
    '[a]\nexten => 5551212,1,NoOp(x)\nexten => 555-1212,1,NoOp(y)\n',
  ),
  broken('a pattern twice, written in two ways', '[a]\nexten => _NX,1,NoOp(x)\nexten => _[2-9]x,1,NoOp(y)\n'),
  broken('a hint twice', '[a]\nexten => 1,hint,SIP/1\nexten => 1,hint,SIP/2\n'),
  broken('a priority twice for one caller', '[a]\nexten => 1/555,1,NoOp(x)\nexten => 1/5-55,1,NoOp(y)\n'),
  broken('a label without an end', '[a]\nexten => 1,1(start,NoOp()\n'),
  broken('a label as priority that exists already', '[a]\nexten => 1,1(x),NoOp()\nexten => 1,x,NoOp()\n'),
  broken('a name that means nothing', '[a]\nextension => 1,1,NoOp()\nexten => 1,1,NoOp()\n'),
  broken('a typing error in exten', '[a]\nexten => 1,1,NoOp()\nexen => 2,1,NoOp()\n'),
  broken('nothing before the equals sign', '[a]\n = 1,1,NoOp()\nexten => 1,1,NoOp()\n'),
  broken(
    'a block comment without an end',
    '[a]\nexten => 1,1,NoOp()\n;-- never closed\nexten => 2,1,NoOp()\n',
  ),
  broken(
    'an end of a block comment alone',
    '[a]\nexten => 1,1,NoOp()\nexten => 2,1,NoOp(x --; y)\nexten => 3,1,NoOp()\n',
  ),
  broken('a backslash alone', '[a]\nexten => 1,1,NoOp()\n\\\nexten => 2,1,NoOp()\n'),
  broken(
    'a template whose name is too long',
    `[${'t'.repeat(80)}](!)\n[b](${'t'.repeat(80)})\nexten => 1,1,NoOp()\n`,
  ),
  broken(
    'a section to add to whose name is too long',
    `[${'t'.repeat(80)}]\nexten => 1,1,NoOp()\n[${'t'.repeat(80)}](+)\nexten => 2,1,NoOp()\n`,
  ),
  broken('a line that is too long', `[a]\nexten => 1,1,NoOp(${'x'.repeat(9_000)})\nexten => 2,1,NoOp()\n`),
  broken(
    'a merge conflict',
    '[a]\n<<<<<<< HEAD\nexten => 1,1,NoOp()\n=======\nexten => 1,1,NoOp(b)\n>>>>>>> b\n',
  ),
  broken('UTF-16', Buffer.from('\uFEFF[a]\nexten => 1,1,NoOp()\n', 'utf16le')),
  broken('a web page', '<html><body>\n<p>Not found</p>\n</body></html>\n'),
  {
    name: 'a byte order mark in a later file',
    verdict: 'broken',
    files: { 'a.conf': '[a]\nexten => 1,1,NoOp()\n', 'b.conf': '\uFEFF[b]\nexten => 2,1,NoOp()\n' },
  },
  {
    name: 'a backup beside the file',
    verdict: 'broken',
    files: { 'a.conf': '[a]\nexten => 1,1,NoOp(new)\n', 'a.conf~': '[a]\nexten => 1,1,NoOp(old)\n' },
  },
  {
    name: 'an extension in two files',
    verdict: 'broken',
    files: { 'a.conf': '[a]\nexten => 1,1,NoOp(a)\n', 'b.conf': '[a]\nexten => 1,1,NoOp(b)\n' },
  },
  {
    name: 'a broken file in the middle',
    verdict: 'broken',
    files: { 'a.conf': '[a]\nexten => 1,1,No\n', 'b.conf': '[b\n', 'c.conf': '[c]\nexten => 1,1,No\n' },
  },
  {
    name: 'an n that begins a file with a section of its own',
    verdict: 'broken',
    files: { 'a.conf': '[a]\nexten => 1,1,NoOp()\n', 'b.conf': '[b]\nsame => n,NoOp()\n' },
  },
];

const DOUBT: readonly CorpusCase[] = [
  doubt('a template from elsewhere', '[a](nowhere)\nexten => 1,1,NoOp()\n'),
  doubt('adding to a section from elsewhere', '[nowhere](+)\nexten => 1,1,NoOp()\n'),
  doubt('lines before the first section', 'exten => 1,1,NoOp()\n[a]\nexten => 1,1,NoOp()\n'),
  doubt('#exec', '[a]\n#exec /bin/true\nexten => 1,1,NoOp()\n'),
  doubt(
    'a label of a pattern that fits',
    '[a]\nexten => _7XX,1,NoOp()\nsame => 5(lab),NoOp()\nexten => 700,1,NoOp()\nexten => 700,lab,NoOp()\nsame => n,NoOp(6)\nexten => 700,2,NoOp(2)\n',
  ),
  doubt(
    'a label first, of a pattern that fits',
    '[a]\nexten => _7XX,1,NoOp()\nsame => 5(lab),NoOp()\nexten => 700,lab,NoOp()\nsame => n,NoOp(6)\n[b]\nexten => 700,1,NoOp()\n',
  ),
  doubt(
    'a label of an extension from a variable',
    '[globals]\nX = 700\n[a]\nexten => ${X},1(lab),NoOp()\nexten => 700,lab+5,NoOp()\nsame => n,NoOp(7)\n',
  ),
  doubt(
    'a label of another extension, which a variable may stand for',
    '[globals]\nX = 70\n[a]\nexten => _${X}X,1,NoOp()\nsame => 5(lab),NoOp()\nexten => 700,lab,NoOp()\nsame => n,NoOp()\n',
  ),
  doubt('an offset to a label from elsewhere', '[a]\nexten => 1,1,NoOp()\nexten => 1,nowhere+101,NoOp()\n'),
];

export const CORPUS: readonly CorpusCase[] = [...GOOD, ...BROKEN, ...DOUBT];
