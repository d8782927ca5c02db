/** What pieces of work would take, asked of the host once each. */
import type { Plan, Work } from '../../../../main/host/hostApi.ts';

export class Costs {
  #seconds = $state.raw<Readonly<Record<string, number | undefined>>>({});
  readonly #asked = new Set<string>();
  readonly #plan: (work: Work) => Promise<Plan>;

  constructor(plan: (work: Work) => Promise<Plan>) {
    this.#plan = plan;
  }

  /** Of all of them together; undefined while it is not known of each. */
  of(works: readonly Work[]): number | undefined {
    const each = works.map((work) => this.#seconds[JSON.stringify(work)]);
    return each.length > 0 && each.every((seconds) => seconds !== undefined) ? each.reduce((sum, seconds) => sum + seconds, 0) : undefined;
  }

  async ask(works: readonly Work[]): Promise<void> {
    for (const work of works) {
      const id = JSON.stringify(work);
      if (this.#asked.has(id)) continue;
      this.#asked.add(id);
      // What may not be run says so where it is looked up.
      const seconds = await this.#plan(work).then(
        (plan) => plan.seconds,
        () => undefined,
      );
      this.#seconds = { ...this.#seconds, [id]: seconds };
    }
  }
}
