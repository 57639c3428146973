export type Activities = {
  /** Answers with the queue of the worker that took it. */
  claim(): Promise<string>;
  nothing(): Promise<void>;
};

export const workflowQueue = 'bare';
export const sharedQueue = 'bare-claim';
