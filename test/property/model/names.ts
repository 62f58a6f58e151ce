/** Few names at few depths, so that files and folders often contest a path. */
export const PATHS = ['a', 'b', 'a/a', 'a/b', 'b/a', 'a/a/a', 'a/a/b', 'b/a/a', 'b/b', 'c'] as const;

/** An override beside the entries of a folder ('' for the directory itself): a file, or a folder with a file in it. */
export function overrideIn(folder: string, asFolder: boolean): string {
  const name = asFolder ? 'xds_override.d/a' : 'xds_override.conf';
  return folder === '' ? name : `${folder}/${name}`;
}

/** The folders above a path, outermost first. */
export function foldersAbove(path: string): string[] {
  const folders: string[] = [];
  for (let at = path.indexOf('/'); at !== -1; at = path.indexOf('/', at + 1)) folders.push(path.slice(0, at));
  return folders;
}
