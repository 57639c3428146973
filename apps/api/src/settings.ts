import type { ApiConfig } from '@perdure/config/api';

/** The configuration, as a provider. */
export class Settings {
  constructor(readonly config: ApiConfig) {}
}
