/** Results, series and models as files for other programs; what is in them is main/export's business. */
import { zipSync } from 'fflate';
import { UserError } from '../../../engine/base/errors.ts';
import { writeNpz } from '../../../engine/formats/npz.ts';
import { exportedResult, exportedRun, type ExportedResult } from '../../export/exported.ts';
import { findingsArrays } from '../../export/findingsArrays.ts';
import { findingsCsv } from '../../export/findingsCsv.ts';
import { onnxFile, pythonFiles, safetensorsFile } from '../../export/modelFiles.ts';
import { languageModelFile } from '../../export/languageModelFiles.ts';
import { plainFindings } from '../../export/plainFindings.ts';
import type { Session } from '../../store/session.ts';
import type { ExportedFile, ExportRequest } from '../hostApi.ts';
import { modelTitles } from '../modelTitles.ts';

const SHORT = 12;
const encoder = new TextEncoder();

/** @throws UserError for what is not there, or has no such form */
export function exportFile(session: Session, request: ExportRequest): ExportedFile {
  switch (request.what) {
    case 'findings': {
      const result = exportedResult(session, request.key);
      return { name: `${result.analysis}-${request.key.slice(0, SHORT)}.${request.format}`, bytes: tableBytes([result], request.format) };
    }
    case 'series':
      return { name: `series.${request.format}`, bytes: tableBytes(exportedRuns(session, request.runs), request.format) };
    case 'model':
      return modelFile(session, request.digest, request.format);
    default:
      return request satisfies never;
  }
}

function exportedRuns(session: Session, keys: readonly string[]): ExportedResult[] {
  const titles = modelTitles(session.models());
  const runs = new Map(session.runs().map((run) => [run.key, run]));
  return keys.map((key) => {
    const run = runs.get(key);
    if (!run) throw new UserError('exportFile: runs', 'must be keys of runs of this session', key);
    return exportedRun(session, run, titles.get(run.model ?? '') ?? run.label);
  });
}

function tableBytes(results: readonly ExportedResult[], format: 'csv' | 'json' | 'npz'): Uint8Array {
  switch (format) {
    case 'csv':
      return encoder.encode(findingsCsv(results));
    case 'json':
      return encoder.encode(
        `${JSON.stringify({ results: results.map(({ findings, ...row }) => ({ ...row, findings: plainFindings(findings) })) })}\n`,
      );
    case 'npz':
      return writeNpz(findingsArrays(results));
    default:
      return format satisfies never;
  }
}

function modelFile(session: Session, digest: string, format: 'safetensors' | 'onnx' | 'py'): ExportedFile {
  const language = session.languageModels().find((one) => one.digest === digest);
  if (language) {
    const exported = { digest, title: language.label, model: session.languageModel(digest) };
    const name = `${language.label.replaceAll(/[^\w.-]+/g, '-')}.${format}`;
    return { name, bytes: languageModelFile(exported, format, name, 'exportFile: format').content as Uint8Array };
  }
  const row = session.models().find((one) => one.digest === digest);
  if (!row) throw new UserError('exportFile: digest', 'must be the digest of a model of this session', digest);
  const model = { digest, title: modelTitles(session.models()).get(digest)!, model: session.model(digest) };
  // Also a name that Python takes for a module.
  const name = `${row.label.replaceAll(/[^A-Za-z0-9_]+/g, '_').replace(/^(?=\d)/, '_')}_${digest.slice(0, SHORT)}`;
  switch (format) {
    case 'safetensors':
      return { name: `${name}.safetensors`, bytes: safetensorsFile(model) };
    case 'onnx':
      return { name: `${name}.onnx`, bytes: onnxFile(model) };
    case 'py': {
      // The module reads its weights from beside it: both in one archive.
      const files = pythonFiles(model, `${name}.py`);
      const bytesOf = (content: string | Uint8Array) => (typeof content === 'string' ? encoder.encode(content) : content);
      return {
        name: `${name}.zip`,
        bytes: zipSync(Object.fromEntries(files.map(({ path, content }) => [path, bytesOf(content)])), { level: 0 }),
      };
    }
    default:
      return format satisfies never;
  }
}
