import { Findings } from '#core/dialplan/finding.ts';
import { newReading, readLines } from '#core/dialplan/lines.ts';

/** A class of music on hold, as musiconhold.conf has it. */
export type MusicClass = { readonly name: string; readonly directory: string };

/**
 * The classes that play the files of a folder. What `#include` and `#exec` add is not among them, nor what a template
 * gives; a directory that is not absolute is left out.
 */
export function musicClasses(configuration: Buffer): MusicClass[] {
  const classes: MusicClass[] = [];
  let section: { name: string; mode: string; directory: string } | undefined;
  const close = (): void => {
    if (section?.mode === 'files' && section.directory.startsWith('/'))
      classes.push({ name: section.name, directory: section.directory.replace(/(?<=.)\/+$/, '') });
  };
  for (const line of readLines('musiconhold.conf', configuration, newReading(), new Findings())) {
    if (line === undefined) continue;
    const { text } = line;
    const header = /^\[([^\]]+)\](\(.*\))?/.exec(text);
    if (header !== null) {
      close();
      const isOwn = header[2] === undefined && header[1]?.toLowerCase() !== 'general';
      section = isOwn ? { name: header[1] ?? '', mode: '', directory: '' } : undefined;
      continue;
    }
    const [, key, value = ''] = /^(mode|directory)\s*=>?\s*(.*)$/i.exec(text) ?? [];
    if (section === undefined || key === undefined) continue;
    if (key.toLowerCase() === 'mode') section.mode = value.toLowerCase();
    else section.directory = value;
  }
  close();
  return classes;
}
