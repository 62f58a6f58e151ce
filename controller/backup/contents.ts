/** Members of a backup by name, in their order in the archive. */
export const MEMBERS = [
  'controller.yml',
  'identity/key.pem',
  'identity/certificate.pem',
  'identity/registry.json',
  'identity/next/key.pem',
  'identity/next/certificate.pem',
  'state.sqlite',
] as const;

export type Member = (typeof MEMBERS)[number] | DropIn;

/** Files of controller.d, as the archive names them. */
const DROP_IN = /^controller\.d\/[^/]+\.yml$/;
type DropIn = `controller.d/${string}.yml`;

/** Members that every backup of Main has. */
export const REQUIRED: readonly Member[] = ['identity/key.pem', 'identity/certificate.pem', 'state.sqlite'];

/** Most bytes of one member: state grows with the number of files, the others are small. */
export function mostBytes(member: Member): number {
  return member === 'state.sqlite' ? 64 * 1024 ** 3 : 64 * 1024 ** 2;
}

/** True for the name of a member, including those of controller.d. */
export function isMember(name: string): name is Member {
  return (MEMBERS as readonly string[]).includes(name) || isDropIn(name);
}

/** True for the name of a member of controller.d. */
export function isDropIn(name: string): name is DropIn {
  return DROP_IN.test(name) && !name.startsWith('controller.d/.');
}

/** The member for a file of controller.d. @param name the name of the file */
export function dropInMember(name: string): Member {
  return `controller.d/${name.replace(/\.yml$/, '')}.yml`;
}
