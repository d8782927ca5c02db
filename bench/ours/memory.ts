/** Peak memory as Linux counts it. */
import { readFileSync } from 'node:fs';

/** The most memory a process has had resident, in MiB. @param process its id, or `self` */
export function peakMiB(process: string): number {
  return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${process}/status`, 'utf8'))![1]) / 1024;
}
