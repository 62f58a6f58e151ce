/** Remedies for disk errors whose names do not suggest one. */
const REMEDIES: Readonly<Record<string, string>> = {
  ENOSPC: 'no room: free some on that disk, or file numbers (df -h, df -i)',
  EDQUOT: 'no room: the quota of this user is used up (quota, repquota)',
  EROFS:
    'the file system is read-only: mount it for writing (mount -o remount,rw), after a look at dmesg; if it is not, only the ' +
    'service may not write there: name its real path in a ReadWritePaths= of the unit (systemctl edit)',
  EIO: 'the disk fails: look at dmesg',
  EPERM: 'it may not be changed: perhaps it is immutable (lsattr, chattr -i)',
  EACCES: 'the permissions do not let this program in: look at them with ls -ld, from the folder up',
  EXDEV:
    'another file system is mounted there, and a file can not be put into it as a whole: make the mount a directory of its own ' +
    '(directories: in controller.yml), leave it out (exclude:), or unmount it',
  EMFILE: 'this program may open no more files: raise LimitNOFILE in its unit',
  SQLITE_CORRUPT:
    'the file is damaged: restart this program, which sets it aside and builds a new one from disk',
  EBUSY: 'another program holds it: see who with fuser -v',
  ENOMEM: 'this host has no memory left',
  ENFILE: 'this host may open no more files: raise fs.file-max',
};

/** An error's text, with the remedy where the errno has one. The operation is retried without it. */
export function withRemedy(why: string): string {
  const remedy = REMEDIES[why];
  return remedy === undefined ? why : `${why}: ${remedy}`;
}
