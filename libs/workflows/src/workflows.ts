export { housekeeping } from './housekeeping.workflow.ts';
export { job } from './job.workflow.ts';
