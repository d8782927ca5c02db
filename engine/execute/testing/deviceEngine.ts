/** An engine process that checks devices and does nothing else: quick to start. */
import { checkDevice } from '../../jobs/checkDevice.ts';
import { serveJobsToParent } from '../../jobs/serveJobs.ts';

serveJobsToParent([checkDevice]);
