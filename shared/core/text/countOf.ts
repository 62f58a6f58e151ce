/** `1 file`, `2 files`. @param several the plural where it takes more than an s */
export function countOf(many: number, one: string, several = `${one}s`): string {
  return `${many} ${many === 1 ? one : several}`;
}
