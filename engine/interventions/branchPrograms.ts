/** Compiled programs of branches, as many as are worth keeping. */
import type { Executable, Executor, Feeds, Results } from '../execute/executor.ts';
import { branchProgram, shapeKey, type BranchProgram, type BranchShape } from './branchProgram.ts';
import type { ModelGraph } from './modelGraph.ts';

/** Programs kept, the least recently used going first; each holds some megabytes. */
const PROGRAMS = 64;

/** By shape. */
export class BranchPrograms {
  readonly #executor: Executor;
  readonly #model: ModelGraph;
  readonly #known = new Map<string, { readonly program: BranchProgram; run?: Executable }>();

  constructor(executor: Executor, model: ModelGraph) {
    this.#executor = executor;
    this.#model = model;
  }

  /** What a shape needs and gives; it is compiled when it runs. */
  program(shape: BranchShape): BranchProgram {
    return this.#get(shape).program;
  }

  run(shape: BranchShape, feeds: Feeds): Results {
    const found = this.#get(shape);
    found.run ??= this.#executor.compile(found.program.program);
    return found.run.run(feeds);
  }

  #get(shape: BranchShape) {
    const key = shapeKey(shape);
    const found = this.#known.get(key) ?? { program: branchProgram(this.#model, shape) };
    this.#known.delete(key);
    this.#known.set(key, found);
    for (const [old, { run }] of this.#known) {
      if (this.#known.size <= PROGRAMS) break;
      run?.dispose();
      this.#known.delete(old);
    }
    return found;
  }

  dispose(): void {
    for (const { run } of this.#known.values()) run?.dispose();
    this.#known.clear();
  }
}
