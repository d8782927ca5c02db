/** An engine process for tests, with their own kinds of jobs. */
import { serveParent } from '../../../engine/engine.ts';
import { testKinds } from './testKinds.ts';

serveParent(testKinds);
