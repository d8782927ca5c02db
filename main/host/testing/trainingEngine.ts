/** An engine process that trains classifiers and does nothing else: quick to start. */
import { serveJobsToParent } from '../../../engine/jobs/serveJobs.ts';
import { trainClassifier } from '../../../engine/jobs/trainClassifier.ts';

serveJobsToParent([trainClassifier]);
