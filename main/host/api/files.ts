/** Files made of something in the session, as bytes for the window to save. */
import { z } from 'zod';
import { exportFile } from '../files/exportFile.ts';
import type { HostWindow } from '../host.ts';
import type { ExportRequest, HostApi } from '../hostApi.ts';
import { attached } from './attached.ts';
import { digest, fields, method } from './method.ts';

const tables = z.enum(['csv', 'json', 'npz'], 'must be "csv", "json" or "npz"');

const request: z.ZodType<ExportRequest> = z.discriminatedUnion(
  'what',
  [
    fields({ what: z.literal('findings'), key: digest, format: tables }),
    fields({
      what: z.literal('model'),
      digest,
      format: z.enum(['safetensors', 'onnx', 'py'], 'must be "safetensors", "onnx" or "py"'),
    }),
    fields({
      what: z.literal('series'),
      runs: z.array(digest, 'must be a list of keys').min(1, 'must name at least one run'),
      format: tables,
    }),
  ],
  'must be "findings", "model" or "series"',
);

export function fileMethods(window: HostWindow): Pick<HostApi, 'exportFile'> {
  return { exportFile: method('exportFile', request, (given) => exportFile(attached(window, 'exportFile').session, given)) };
}
