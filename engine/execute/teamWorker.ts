/** A helper thread of a team. */
import { parentPort, workerData } from 'node:worker_threads';
import { obeyTeam, type TeamWorkerData } from './team.ts';

void obeyTeam(workerData as TeamWorkerData, () => parentPort?.postMessage('ready'));
