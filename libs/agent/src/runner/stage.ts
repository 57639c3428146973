import {
  type CodeDefinition,
  type LogLevel,
  parseOutput,
  parseParameters,
  type ProducedFile,
  type Progress,
} from '@perdure/functions';
import { clip } from '@perdure/job/errors';
import type { ProgressReport, StageInput, StageName, StageResult } from './contract.ts';
import { checkFiles } from './result-files.ts';
import { throttled } from './throttled.ts';

type Surroundings = {
  scratch: string;
  signal: AbortSignal;
  log: (level: LogLevel, text: string) => void;
  progress: (progress: ProgressReport) => void;
};

const progressIntervalMs = 200;

/** Runs one stage of a function here: in the child process, or in the agent's for an inline function. */
export async function runStage(
  definition: CodeDefinition,
  stage: StageName,
  { parameters, files }: StageInput,
  { scratch, signal, log, progress }: Surroundings,
): Promise<StageResult> {
  const produced: ProducedFile[] = [];
  const reports = throttled(progress, progressIntervalMs);
  const context = {
    parameters,
    files,
    scratch,
    signal,
    log: {
      debug: (text: string) => log('debug', text),
      info: (text: string) => log('info', text),
      warn: (text: string) => log('warn', text),
      error: (text: string) => log('error', text),
    },
    progress: (given: Progress) => {
      // Half a report says nothing, and must not fail the function.
      if (isAmount(given.done)) reports.push(wholeReport(given));
    },
    addFile: (file: ProducedFile) => void produced.push(file),
  };
  try {
    if (stage === 'validate') {
      parseParameters(definition.input, parameters);
      await definition.validate?.(context);
      return { output: null, files: [] };
    }
    const output = parseOutput(definition, await definition.execute(context));
    return { output, files: await checkFiles(definition, produced, scratch) };
  } finally {
    reports.flush();
  }
}

function wholeReport({ done, total, unit, message }: Progress): ProgressReport {
  return {
    done,
    total: isAmount(total) ? total : null,
    unit: unit === undefined ? null : clip(unit, 50),
    message: message === undefined ? null : clip(message, 500),
  };
}

function isAmount(value: number | undefined): value is number {
  return value !== undefined && Number.isFinite(value) && value >= 0;
}
