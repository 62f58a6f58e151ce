import { userInfo } from 'node:os';

/** Who runs this command, for the history: `command by alice` where sudo knows who became root. */
export function caller(environment: NodeJS.ProcessEnv = process.env): string {
  return `command by ${environment['SUDO_USER'] ?? nameOfUser()}`;
}

function nameOfUser(): string {
  try {
    return userInfo().username;
  } catch {
    // No line in /etc/passwd.
    return `uid ${process.geteuid?.() ?? '?'}`;
  }
}
