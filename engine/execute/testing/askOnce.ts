/** A program that asks one thing and lets its thread be. For tests. */
import { AnsweringThread } from '../answeringThread.ts';
import type { Told } from './answeringModule.ts';

const word = new Int32Array(new SharedArrayBuffer(8));
const thread = new AnsweringThread<Told, string>(new URL('./answeringModule.ts', import.meta.url), word);
process.stdout.write(await thread.ask({ say: 'heard' }));
