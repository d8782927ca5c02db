/** Data sets that a session's work rests on, and which files were found to be which: reading 60 000 images to know them takes seconds. */
import type { Connection } from './connection.ts';
import { trusting } from './problems.ts';
import { fieldOf, textField } from './records.ts';

export interface CorpusDetails {
  /** Images by part: `{ train: 60000, test: 10000 }`; beside them, where they are shown, `heldOut` of the training images. */
  readonly counts?: Readonly<Record<string, number>>;
  readonly height?: number;
  readonly width?: number;
  readonly classes?: readonly string[];
}

export interface Corpus {
  /** SHA-256 of the images and labels as read. */
  readonly digest: string;
  /** Name of a data set, or where its files are. */
  readonly source: string;
  readonly details: CorpusDetails;
}

interface RawCorpus extends Omit<Corpus, 'details'> {
  readonly details: string;
}

/** Stores what is known of a data set; what was known before stays where nothing new is said. Data that moved are where they were found last. */
export function putCorpus(connection: Connection, { digest, source, details }: Corpus, at: string, fingerprint?: string): void {
  connection.transaction(() => {
    connection.run(
      `INSERT INTO corpora (digest, source, details, at) VALUES (?, ?, ?, ?)
       ON CONFLICT (digest) DO UPDATE SET source = coalesce(nullif(excluded.source, ''), source),
                                          details = coalesce(nullif(excluded.details, '{}'), details)`,
      digest,
      source,
      JSON.stringify(details),
      at,
    );
    if (fingerprint !== undefined)
      connection.run('INSERT OR REPLACE INTO corpus_fingerprints (fingerprint, corpus) VALUES (?, ?)', fingerprint, digest);
  });
}

/** The data set a request's parameters name, if they name its digest; known from then on. @returns its digest */
export function putCorpusOf(connection: Connection, parameters: unknown, at: string): string | undefined {
  const data = fieldOf(parameters, 'data');
  const digest = textField(data, 'digest');
  if (digest !== undefined) putCorpus(connection, { digest, source: textField(data, 'source') ?? '', details: {} }, at);
  return digest;
}

export function corpusRows(connection: Connection): Corpus[] {
  return connection.all<RawCorpus>('SELECT digest, source, details FROM corpora ORDER BY rowid').map((row) => corpus(connection, row));
}

/** @param fingerprint of names, sizes and times of files, as whoever read them made it */
export function corpusByFingerprint(connection: Connection, fingerprint: string): Corpus | undefined {
  const row = connection.get<RawCorpus>(
    `SELECT digest, source, details FROM corpus_fingerprints JOIN corpora ON digest = corpus WHERE fingerprint = ?`,
    fingerprint,
  );
  return row && corpus(connection, row);
}

function corpus({ path }: Connection, { digest, source, details }: RawCorpus): Corpus {
  return trusting(path, `corpus ${digest.slice(0, 12)}`, () => ({ digest, source, details: JSON.parse(details) as CorpusDetails }));
}
