export type {
  Admission,
  AgentActivities,
  ClaimAnswer,
  ClaimRequest,
  Executed,
  FunctionRetry,
  HousekeepingActivities,
  OrchestratorActivities,
  RecordEntry,
  StageRequest,
  Verdict,
} from './contract.ts';
