/**
 * A process that holds a session, for tests that end it: `holder.ts FILE MODE` opens it and says `open`, or why not. With `journal` for a mode
 * it leaves a change half written instead, as a program without a log beside the file would.
 */
import Database from 'better-sqlite3';
import { Session } from '../session.ts';

const [, , path, mode] = process.argv;
/** Until it is killed; what it holds is not to be collected. */
const hold = (held: object) => {
  console.log('open');
  setInterval(() => held, 1000);
};
if (mode === 'journal') {
  const database = new Database(path);
  database.pragma('cache_size = 1'); // so that pages go to the file before the end of the transaction
  database.exec('BEGIN; CREATE TABLE half (x)');
  database.exec(
    `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100) INSERT INTO half SELECT zeroblob(5000) FROM n`,
  );
  hold(database);
} else {
  try {
    hold(Session.open(path, mode as 'write'));
  } catch (error) {
    console.log((error as Error).message);
  }
}
