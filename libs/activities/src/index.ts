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
  Reset,
  StageRequest,
  Verdict,
} from './contract.ts';
