import { DefaultLogger, type LogEntry, makeTelemetryFilterString, Runtime } from '@temporalio/worker';
import { type Logger, pino } from 'pino';

/** What the SDK warns of and what is as it should be: a claim queue has no workflows, and a job that failed is a workflow that did. */
const expected = /^(No workflows registered|Workflow failed$)/;

/** One log for Perdure and for Temporal's SDK: JSON lines on stdout. */
export function openLog(level: string): Logger {
  const log = pino({ level, base: undefined, timestamp: pino.stdTimeFunctions.isoTime });
  const levels = { TRACE: 'trace', DEBUG: 'debug', INFO: 'info', WARN: 'warn', ERROR: 'error' } as const;
  Runtime.install({
    logger: new DefaultLogger('WARN', ({ level: said, message, meta }: LogEntry) =>
      log[expected.test(message) ? 'debug' : levels[said]](meta ?? {}, message),
    ),
    telemetryOptions: {
      logging: { filter: makeTelemetryFilterString({ core: 'WARN', other: 'ERROR' }), forward: {} },
    },
    // The signals are the main's business.
    shutdownSignals: [],
  });
  return log;
}
