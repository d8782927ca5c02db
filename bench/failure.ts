/** A comparison that cannot be made or must not be trusted: shown as it is, without a stack, and the bench ends with exit code 1. */
export class BenchFailure extends Error {
  override readonly name = 'BenchFailure';
}
