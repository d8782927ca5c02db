/**
 * What is run together: interventions of one shape whose changes begin at one position; and, at the position that is read, those on one site each,
 * whatever their sites, as long as one run holds them all. A site more costs such a run only what is below it, a run more a whole way through the model.
 */
import { shapeKey, type BranchShape } from './branchProgram.ts';
import type { PairSet } from '../tasks/pairs.ts';
import type { ModelGraph } from './modelGraph.ts';
import { capacity, chunkRows, type Chunk } from './places.ts';
import type { Ways } from './planner.ts';

/** Members by entry of the shape. */
export interface Group<Member> {
  readonly shape: BranchShape;
  /** Where changes begin. */
  readonly from: number;
  readonly entries: readonly Member[][];
}

interface Joined {
  readonly shape: BranchShape;
  readonly key: string;
  readonly entry: number;
}

/** Collects the members of one chunk. */
export class Groups<Member> {
  readonly #most: (positions: number) => number;
  readonly #read: number;
  readonly #joined: ReadonlyMap<string, Joined>;
  readonly #open = new Map<string, Group<Member> & { members: number }>();

  /**
   * @param expected of every member its shape if all of what it writes changes something; undefined where nothing can
   * @param read where the pairs of the chunk are read
   */
  constructor(
    { config }: ModelGraph,
    { length, pairs }: PairSet,
    chunk: Chunk,
    read: number,
    expected: readonly (BranchShape | undefined)[],
    ways: Ways,
  ) {
    this.#read = read;
    this.#most = (positions) => capacity(config, { length, rows: chunk.length, positions });
    // As for a full chunk, so that all chunks have the same programs.
    const rows = chunkRows(config.width, length);
    const shapes = expected.filter((shape) => shape !== undefined);
    this.#joined = joinedShapes(shapes, capacity(config, { length, rows: Math.min(rows, pairs), positions: 1 }), ways);
  }

  /** The shape that is run instead of one that was expected. */
  shapeOf(shape: BranchShape): BranchShape {
    return this.#joined.get(shapeKey(shape))?.shape ?? shape;
  }

  /** @returns the group that is full now */
  add(own: BranchShape, from: number, member: Member): Group<Member> | undefined {
    const ownKey = shapeKey(own);
    const { shape, key: shared, entry } = this.#joined.get(ownKey) ?? { shape: own, key: ownKey, entry: 0 };
    const key = `${shared}|${from}`;
    let group = this.#open.get(key);
    if (!group) this.#open.set(key, (group = { shape, from, entries: shape.entries.map(() => []), members: 0 }));
    group.entries[entry].push(member);
    if (++group.members < this.#most(1 + this.#read - from)) return undefined;
    this.#open.delete(key);
    return group;
  }

  /** The groups that are not full. */
  rest(): Group<Member>[] {
    return [...this.#open.values()];
  }
}

/**
 * Shapes of one site in the order in which the model computes these, one below the other, as many together as one run holds and the model lets be
 * joined. @param most branches of a run
 */
function joinedShapes(expected: readonly BranchShape[], most: number, ways: Ways): Map<string, Joined> {
  const counts = new Map<string, { shape: BranchShape; count: number }>();
  for (const shape of expected) {
    const [{ first, later }] = shape.entries;
    if (shape.mode !== 'read' || first.length !== 1 || later.length > 0) continue;
    const key = shapeKey(shape);
    counts.set(key, { shape, count: (counts.get(key)?.count ?? 0) + 1 });
  }
  const siteOf = ({ entries }: BranchShape) => entries[0].first[0];
  const together = (shapes: readonly BranchShape[]): BranchShape => ({ ...shapes[0], entries: shapes.flatMap(({ entries }) => entries) });
  const joined = new Map<string, Joined>();
  const join = (shapes: readonly BranchShape[]) => {
    if (shapes.length < 2) return;
    const shape = together(shapes);
    const key = shapeKey(shape);
    shapes.forEach((own, entry) => joined.set(shapeKey(own), { shape, key, entry }));
  };
  /** Where not all can be joined, as many of the first as can, and so on. */
  const joinAsCan = (shapes: readonly BranchShape[]) => {
    if (shapes.length < 2 || ways.refusal(together(shapes)) === undefined) return join(shapes);
    let begun: BranchShape[] = [];
    for (const shape of shapes) {
      if (begun.length > 0 && ways.refusal(together([...begun, shape])) !== undefined) {
        join(begun);
        begun = [];
      }
      begun.push(shape);
    }
    join(begun);
  };
  let open: BranchShape[] = [];
  let branches = 0;
  for (const { shape, count } of [...counts.values()].sort((a, b) => siteOf(a.shape).value.id - siteOf(b.shape).value.id)) {
    const last = open.at(-1);
    if (last && (branches + count > most || !ways.below(siteOf(shape), siteOf(last)))) {
      joinAsCan(open);
      [open, branches] = [[], 0];
    }
    open.push(shape);
    branches += count;
  }
  joinAsCan(open);
  return joined;
}
