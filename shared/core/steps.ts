/**
 * Long computation that can be interrupted: each step takes a few milliseconds at most, and the caller decides what
 * happens between two of them. The result does not depend on that.
 */
export type Steps<T> = Generator<void, T, void>;
