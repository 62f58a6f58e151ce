/**
 * Long computation that can be interrupted: each step takes a few milliseconds at most, and the caller decides what
 * happens between two of them. The result does not depend on that.
 */
export type Steps<T> = Generator<void, T, void>;

/** Carries it out in one piece. */
export function atOnce<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}
