/** The second schema: language models, matched pairs of prompts, and what runs and results have to do with them. Only tables are added. */
import type { Migration } from '../schema.ts';

export const languageModels: Migration = (execute) => execute(sql);

const sql = `
CREATE TABLE language_models (
  digest TEXT PRIMARY KEY,                 -- of its config and weights
  label TEXT NOT NULL,
  architecture TEXT NOT NULL,
  origin TEXT NOT NULL CHECK (origin IN ('compiled', 'trained', 'loaded')),
  layers INTEGER NOT NULL,
  heads INTEGER NOT NULL,
  width INTEGER NOT NULL,
  vocabulary INTEGER NOT NULL,
  parameters INTEGER NOT NULL,             -- how many numbers
  seed INTEGER,
  folder TEXT,                             -- where the checkpoint of a loaded one was
  description TEXT NOT NULL,
  at TEXT NOT NULL,
  record TEXT NOT NULL                     -- JSON: config, origin, names of tokens
) STRICT;
-- None for a loaded one that is not embedded.
CREATE TABLE language_model_tensors (
  model TEXT NOT NULL REFERENCES language_models (digest) ON DELETE CASCADE,
  name TEXT NOT NULL,                      -- as in TransformerLens: blocks.0.attn.W_Q
  tensor TEXT NOT NULL REFERENCES tensors (digest),
  PRIMARY KEY (model, name)
) STRICT;

-- Matched pairs of prompts, as tokens.
CREATE TABLE pair_sets (
  digest TEXT PRIMARY KEY,
  source TEXT NOT NULL,                    -- a file, or the task that wrote them
  pairs INTEGER NOT NULL,
  length INTEGER NOT NULL,                 -- tokens in a prompt
  arms TEXT NOT NULL,                      -- JSON: ["sensitive","control"]
  at TEXT NOT NULL,
  record TEXT                              -- JSON of the set, arrays as {"$tensor": digest}; none in a copy made for sharing
) STRICT;

CREATE TABLE run_language_models (
  run TEXT PRIMARY KEY REFERENCES runs (key) ON DELETE CASCADE,
  model TEXT NOT NULL REFERENCES language_models (digest)
) STRICT;
CREATE TABLE result_language_models (
  result TEXT NOT NULL REFERENCES results (key) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  label TEXT NOT NULL,
  model TEXT NOT NULL REFERENCES language_models (digest),
  PRIMARY KEY (result, position)
) STRICT;
CREATE TABLE result_pair_sets (
  result TEXT NOT NULL REFERENCES results (key) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  pairs TEXT NOT NULL REFERENCES pair_sets (digest),
  PRIMARY KEY (result, position)
) STRICT;

CREATE INDEX language_model_tensors_by_tensor ON language_model_tensors (tensor);
`;

/** The same tables, empty and in memory: stand in where a file that has not been through the migration is only read. */
export const standIns = sql.replaceAll('CREATE TABLE', 'CREATE TEMP TABLE').replaceAll(/^CREATE INDEX.*$/gm, '');
