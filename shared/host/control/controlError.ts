/** An answer to a person, not a fault of the program. `exitCode` is what the command line ends with. */
export class ControlError extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}
