/** Matched pairs of prompts of a session: each set once under the digest of its tokens, roles and metric. */
import { armsOf, type Arm, type PairSet } from '../../engine/tasks/pairs.ts';
import { canonicalDigest } from './canonical.ts';
import { decode, encode } from './codec.ts';
import type { Connection } from './connection.ts';
import { damaged, fileError, trusting } from './problems.ts';
import { getTensor, putTensor } from './tensors.ts';

export interface PairSetRow {
  readonly digest: string;
  /** A file, or the task that wrote them. */
  readonly source: string;
  readonly pairs: number;
  /** Tokens in a prompt. */
  readonly length: number;
  readonly arms: readonly Arm[];
  readonly at: string;
}

/** Stores a set if it is not there yet; one whose source was not known is told apart by it from then on. @returns its digest */
export function putPairSet(connection: Connection, set: PairSet, source: string, at: string): string {
  const digest = canonicalDigest(set);
  connection.transaction(() => {
    const record = encode(set, { tensor: (data) => putTensor(connection, data) });
    connection.run(
      `INSERT INTO pair_sets (digest, source, pairs, length, arms, at, record) VALUES (?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (digest) DO UPDATE SET source = coalesce(nullif(excluded.source, ''), source), record = coalesce(record, excluded.record)`,
      digest,
      source,
      set.pairs,
      set.length,
      JSON.stringify(armsOf(set)),
      at,
      record,
    );
  });
  return digest;
}

/** In the order they came. */
export function pairSetRows(connection: Connection): PairSetRow[] {
  return connection
    .all<Omit<PairSetRow, 'arms'> & { arms: string }>('SELECT digest, source, pairs, length, arms, at FROM pair_sets ORDER BY rowid')
    .map(({ arms, ...row }) =>
      trusting(connection.path, `pairs ${row.digest.slice(0, 12)}`, () => ({ ...row, arms: JSON.parse(arms) as Arm[] })),
    );
}

/** @throws UserError if it is not there, or not in this copy; DamagedSession if it is not what its digest stands for */
export function getPairSet(connection: Connection, digest: string): PairSet {
  const { path } = connection;
  const what = `pairs ${digest.slice(0, 12)}`;
  const row = connection.get<{ record: string | null }>('SELECT record FROM pair_sets WHERE digest = ?', digest);
  const { record } = row ?? {};
  if (record === undefined || record === null) throw fileError(`must hold the ${what}`, path);
  return trusting(path, what, () => {
    const set = decode(record, { tensor: (tensor) => getTensor(connection, tensor).data }) as PairSet;
    if (canonicalDigest(set) !== digest) throw damaged(`${what} are not what their digest stands for`, path);
    return set;
  });
}
