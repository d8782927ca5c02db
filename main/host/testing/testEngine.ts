/** An engine process for tests, with their own kinds of jobs. */
import { serveJobsToParent } from '../../../engine/jobs/serveJobs.ts';
import { testKinds } from './testKinds.ts';

serveJobsToParent(testKinds);
