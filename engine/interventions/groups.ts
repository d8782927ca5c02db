/**
 * What is run together: interventions of one shape whose changes begin at one position; and, at the position that is read, those on one site each,
 * whatever their sites, as long as one run holds them all. A site more costs such a run only what is below it, a run more a whole way through the model.
 */
import { shapeKey, type BranchShape } from './branchProgram.ts';
import { capacity } from './places.ts';
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
  readonly entry: number;
}

/** Collects the members of one chunk. */
export class Groups<Member> {
  readonly #rows: number;
  readonly #read: number;
  readonly #joined: ReadonlyMap<string, Joined>;
  readonly #open = new Map<string, Group<Member> & { members: number }>();

  /** @param expected shapes of all members, one for each, if all of what they write changes something */
  constructor(rows: number, read: number, expected: readonly BranchShape[], ways: Ways) {
    this.#rows = rows;
    this.#read = read;
    this.#joined = joinedShapes(expected, capacity(rows, 1), ways);
  }

  /** The shapes that are run instead of those that were expected. */
  shapeOf(shape: BranchShape): BranchShape {
    return this.#joined.get(shapeKey(shape))?.shape ?? shape;
  }

  /** @returns the group that is full now */
  add(own: BranchShape, from: number, member: Member): Group<Member> | undefined {
    const { shape, entry } = this.#joined.get(shapeKey(own)) ?? { shape: own, entry: 0 };
    const key = `${shapeKey(shape)}|${from}`;
    let group = this.#open.get(key);
    if (!group) this.#open.set(key, (group = { shape, from, entries: shape.entries.map(() => []), members: 0 }));
    group.entries[entry].push(member);
    if (++group.members < capacity(this.#rows, 1 + this.#read - from)) return undefined;
    this.#open.delete(key);
    return group;
  }

  /** The groups that are not full. */
  rest(): Group<Member>[] {
    return [...this.#open.values()];
  }
}

/** Shapes of one site, in the order in which the model computes these, as many together as one run holds. @param most branches of a run */
function joinedShapes(expected: readonly BranchShape[], most: number, ways: Ways): Map<string, Joined> {
  const counts = new Map<string, { shape: BranchShape; count: number }>();
  for (const shape of expected) {
    const [{ first, later }] = shape.entries;
    if (shape.mode !== 'read' || first.length !== 1 || later.length > 0) continue;
    const key = shapeKey(shape);
    counts.set(key, { shape, count: (counts.get(key)?.count ?? 0) + 1 });
  }
  const siteOf = ({ entries }: BranchShape) => entries[0].first[0];
  const joined = new Map<string, Joined>();
  let open: BranchShape[] = [];
  let branches = 0;
  const close = () => {
    const [begun] = open;
    if (open.length > 1) {
      const shape: BranchShape = { ...begun, entries: open.flatMap(({ entries }) => entries) };
      if (ways.refusal(shape) === undefined) open.forEach((own, entry) => joined.set(shapeKey(own), { shape, entry }));
    }
    [open, branches] = [[], 0];
  };
  for (const { shape, count } of [...counts.values()].sort((a, b) => siteOf(a.shape).value.id - siteOf(b.shape).value.id)) {
    const last = open.at(-1);
    if (last && (branches + count > most || !ways.below(siteOf(shape), siteOf(last)))) close();
    open.push(shape);
    branches += count;
  }
  close();
  return joined;
}
