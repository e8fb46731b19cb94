/** What a checker found: a promise of the system that does not hold. Ends the run. */
export class Violation extends Error {
  override readonly name = 'Violation';
  readonly code = 'VIOLATION';
  readonly checker: string;

  constructor(checker: string, what: string) {
    super(what);
    this.checker = checker;
  }
}
