/** A member of a team that does what its data say, in whichever thread they say. For team.test.ts. */
import { isMainThread, threadId } from 'node:worker_threads';
import { UserError } from '../../base/errors.ts';
import type { Member } from '../team.ts';

export interface TeamMemberData {
  /** int32: for each row who computed it (thread id + 1), added up, so that a row computed twice shows. */
  readonly rows: Int32Array;
  /** int32: chunks begun, members disposed of. */
  readonly counts: Int32Array;
  /** Where and how it fails; `exit` ends the thread in the middle of a chunk. */
  readonly failure?: {
    readonly where: 'lead' | 'helper';
    readonly when: 'creating' | 'running';
    readonly how: 'throw' | 'mistake' | 'exit';
  };
  /** Milliseconds that a row takes, by thread. */
  readonly slow?: { readonly lead: number; readonly helper: number };
}

export function createMember(data: unknown): Member {
  const { rows, counts, failure, slow } = data as TeamMemberData;
  const where = isMainThread ? 'lead' : 'helper';
  const fail = (when: 'creating' | 'running') => {
    if (failure?.where !== where || failure.when !== when) return;
    if (failure.how === 'exit') process.exit(3);
    if (failure.how === 'mistake') throw new UserError(`member: ${when}`, 'must not be done', where);
    throw new Error(`${where} failed ${when}`);
  };
  fail('creating');
  const sleep = new Int32Array(new SharedArrayBuffer(4));
  return {
    run(begin, end) {
      Atomics.add(counts, 0, 1);
      if (rows[0] >= 0) fail('running');
      for (let row = begin; row < end; row++) {
        Atomics.wait(sleep, 0, 0, slow?.[where] ?? 0);
        Atomics.add(rows, row, threadId + 1);
      }
    },
    dispose: () => void Atomics.add(counts, 1, 1),
  };
}
