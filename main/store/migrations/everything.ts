/** The first schema. JSON columns hold plain data as codec.ts writes it; times are ISO 8601 in UTC; digests are SHA-256 in hex. */
import type { Migration } from '../schema.ts';

export const everything: Migration = (execute) => execute(sql);

const sql = `
-- The session itself: one row.
CREATE TABLE session (
  only INTEGER PRIMARY KEY CHECK (only = 1),
  uuid TEXT NOT NULL,
  name TEXT NOT NULL,
  created TEXT NOT NULL,
  application TEXT NOT NULL,               -- version that made the file
  weights INTEGER NOT NULL DEFAULT 1 CHECK (weights IN (0, 1)) -- 0: a copy made for sharing, without them
) STRICT;

-- Arrays, each once: digest = SHA-256 of "<dtype> <shape>\\n" and the bytes, little-endian, row-major.
CREATE TABLE tensors (
  digest TEXT PRIMARY KEY,
  dtype TEXT NOT NULL,                     -- as in safetensors: F32, F64, I32, U8, ...
  shape TEXT NOT NULL,                     -- JSON: [784,256]
  bytes INTEGER NOT NULL
) STRICT;
CREATE TABLE tensor_chunks (
  tensor TEXT NOT NULL REFERENCES tensors (digest) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  content BLOB NOT NULL,                   -- at most 64 MiB
  PRIMARY KEY (tensor, position)
) STRICT;

CREATE TABLE models (
  digest TEXT PRIMARY KEY,                 -- of the whole model, tensors by content
  kind TEXT NOT NULL CHECK (kind IN ('foundation', 'adapted')),
  label TEXT NOT NULL,
  architecture TEXT NOT NULL,
  widths TEXT NOT NULL,                    -- JSON
  angles TEXT NOT NULL,                    -- JSON, degrees: of the foundation's images
  seed INTEGER NOT NULL,
  base TEXT REFERENCES models (digest),    -- the foundation an adapted model stands on
  adapter TEXT,                            -- dopamine, lora-r4, ...
  adapter_angles TEXT,                     -- JSON, degrees: of the modes it was trained on
  description TEXT NOT NULL,
  at TEXT NOT NULL,
  record TEXT NOT NULL                     -- JSON of the whole model, tensors as {"$tensor": digest}
) STRICT;
CREATE TABLE model_tensors (
  model TEXT NOT NULL REFERENCES models (digest) ON DELETE CASCADE,
  part TEXT NOT NULL CHECK (part IN ('base', 'adapter')),
  name TEXT NOT NULL,
  tensor TEXT NOT NULL REFERENCES tensors (digest),
  PRIMARY KEY (model, part, name)
) STRICT;

CREATE TABLE corpora (
  digest TEXT PRIMARY KEY,                 -- of the images and labels as read
  source TEXT NOT NULL,                    -- name of a data set, or where its files were
  details TEXT NOT NULL,                   -- JSON: counts, height, width, classes
  at TEXT NOT NULL
) STRICT;
-- Names, sizes and times of files that were read before: they need not be read again to know the digest.
CREATE TABLE corpus_fingerprints (
  fingerprint TEXT PRIMARY KEY,
  corpus TEXT NOT NULL REFERENCES corpora (digest) ON DELETE CASCADE
) STRICT;

CREATE TABLE runs (
  key TEXT PRIMARY KEY,                    -- of the request, and of what else the numbers depend on
  kind TEXT NOT NULL,
  version INTEGER NOT NULL,                -- of the kind of job
  label TEXT NOT NULL,
  seed INTEGER,
  state TEXT NOT NULL CHECK (state IN ('unfinished', 'done')),
  at TEXT NOT NULL,                        -- begun, or if done: finished
  model TEXT REFERENCES models (digest),
  corpus TEXT REFERENCES corpora (digest),
  parameters INTEGER,                      -- how many numbers were trained
  seconds REAL,
  digest TEXT,                             -- of the whole result
  provenance TEXT NOT NULL,                -- JSON: what no number depends on
  request TEXT NOT NULL,                   -- JSON
  result TEXT                              -- JSON
) STRICT;
CREATE TABLE series (
  run TEXT NOT NULL REFERENCES runs (key) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  name TEXT NOT NULL,
  unit TEXT NOT NULL,
  tensor TEXT NOT NULL REFERENCES tensors (digest),
  PRIMARY KEY (run, name)
) STRICT;

CREATE TABLE results (
  key TEXT PRIMARY KEY,
  analysis TEXT NOT NULL,
  version INTEGER NOT NULL,                -- of the analysis
  digest TEXT NOT NULL,                    -- of the findings
  at TEXT NOT NULL,
  seed INTEGER,
  corpus TEXT REFERENCES corpora (digest),
  seconds REAL,
  provenance TEXT NOT NULL,                -- JSON
  request TEXT NOT NULL,                   -- JSON
  payload TEXT NOT NULL                    -- JSON of the findings
) STRICT;
CREATE TABLE result_models (
  result TEXT NOT NULL REFERENCES results (key) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  label TEXT NOT NULL,
  model TEXT NOT NULL REFERENCES models (digest),
  PRIMARY KEY (result, position)
) STRICT;

-- States that unfinished work goes on from, by the key of its request.
CREATE TABLE checkpoints (
  key TEXT PRIMARY KEY,
  at TEXT NOT NULL,
  digest TEXT NOT NULL,
  bytes INTEGER NOT NULL
) STRICT;
CREATE TABLE checkpoint_chunks (
  key TEXT NOT NULL REFERENCES checkpoints (key) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  content BLOB NOT NULL,                   -- V8's structured clone, at most 64 MiB a piece
  PRIMARY KEY (key, position)
) STRICT;

CREATE TABLE notes (
  id INTEGER PRIMARY KEY,
  subject_kind TEXT NOT NULL CHECK (subject_kind IN ('session', 'model', 'run', 'result')),
  subject_key TEXT NOT NULL,               -- '' for the session
  unit TEXT,                               -- a part of the subject: L0U17
  text TEXT NOT NULL,
  bookmark INTEGER NOT NULL CHECK (bookmark IN (0, 1)),
  at TEXT NOT NULL,
  edited TEXT
) STRICT;

-- What was done, in order: undo, audits and exports read it.
CREATE TABLE actions (
  id INTEGER PRIMARY KEY,
  at TEXT NOT NULL,
  verb TEXT NOT NULL,
  arguments TEXT NOT NULL,                 -- JSON
  undone INTEGER NOT NULL DEFAULT 0 CHECK (undone IN (0, 1))
) STRICT;

CREATE TABLE layout (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL                      -- JSON
) STRICT;

CREATE INDEX model_tensors_by_tensor ON model_tensors (tensor);
CREATE INDEX series_by_tensor ON series (tensor);
CREATE INDEX notes_by_subject ON notes (subject_kind, subject_key);
`;
