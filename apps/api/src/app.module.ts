import { type DynamicModule, Module } from '@nestjs/common';
import { APP_GUARD, APP_PIPE } from '@nestjs/core';
import type { ApiConfig } from '@perdure/config/api';
import { LoggerModule } from 'nestjs-pino';
import type { Logger } from 'pino';
import { Access } from './access/access.ts';
import { KeyRing } from './access/key-ring.ts';
import { Seals } from './access/seals.ts';
import { SignedUrls } from './access/signed-urls.ts';
import { Tokens } from './access/tokens.ts';
import { Visibility } from './access/visibility.ts';
import { Visits } from './access/visits.ts';
import { AgentsController } from './agents/agents.controller.ts';
import { AgentsService } from './agents/agents.service.ts';
import { RegistrationService } from './agents/registration.service.ts';
import { AuditController } from './audit/audit.controller.ts';
import { AuditLog } from './audit/audit-log.ts';
import { AuditService } from './audit/audit.service.ts';
import { DatabaseService } from './database/database.service.ts';
import { EventsController } from './events/events.controller.ts';
import { JobEventsService } from './events/job-events.service.ts';
import { OpenStreams } from './events/open-streams.ts';
import { TenantEventsService } from './events/tenant-events.service.ts';
import { ContentController } from './files/content.controller.ts';
import { FilesController } from './files/files.controller.ts';
import { FilesService } from './files/files.service.ts';
import { SignedUrlsController } from './files/signed-urls.controller.ts';
import { SigningService } from './files/signing.service.ts';
import { StorageService } from './files/storage.service.ts';
import { Uploads } from './files/uploads.ts';
import { Catalogue } from './functions/catalogue.ts';
import { FunctionsController } from './functions/functions.controller.ts';
import { FunctionsService } from './functions/functions.service.ts';
import { HealthController } from './health/health.controller.ts';
import { Metrics } from './health/metrics.ts';
import { RateLimits } from './http/rate-limits.ts';
import { Readiness } from './health/readiness.ts';
import { AuthGuard } from './http/auth.guard.ts';
import { KnownPaths } from './http/known-paths.ts';
import { QuietLogger } from './http/quiet-logger.ts';
import { SchemaPipe } from './http/schema-pipe.ts';
import { Admission } from './jobs/admission.ts';
import { BatchController } from './jobs/batch.controller.ts';
import { BatchService } from './jobs/batch.service.ts';
import { Changes } from './jobs/changes.ts';
import { ControlService } from './jobs/control.service.ts';
import { Intake } from './jobs/intake.ts';
import { ArchiveController } from './jobs/archive.controller.ts';
import { ArchiveService } from './jobs/archive.service.ts';
import { ListsController } from './jobs/lists.controller.ts';
import { ListsService } from './jobs/lists.service.ts';
import { JobsController } from './jobs/jobs.controller.ts';
import { JobsService } from './jobs/jobs.service.ts';
import { WorkflowLinks } from './jobs/workflow-links.ts';
import { LogsController } from './jobs/logs.controller.ts';
import { LogsService } from './jobs/logs.service.ts';
import { PageTokens } from './jobs/page-tokens.ts';
import { ReasonWatch } from './jobs/reason-watch.ts';
import { RerunController } from './jobs/rerun.controller.ts';
import { RerunService } from './jobs/rerun.service.ts';
import { ResultsController } from './jobs/results.controller.ts';
import { Starts } from './jobs/starts.ts';
import { SubmitService } from './jobs/submit.service.ts';
import { WaitingReasons } from './jobs/waiting-reasons.ts';
import { WorkflowStatus } from './jobs/workflow-status.ts';
import { KeysController } from './keys/keys.controller.ts';
import { KeysService } from './keys/keys.service.ts';
import { PoolsController } from './pools/pools.controller.ts';
import { PoolsService } from './pools/pools.service.ts';
import { Settings } from './settings.ts';
import { FileAccessController } from './sharing/file-access.controller.ts';
import { JobAccessController } from './sharing/job-access.controller.ts';
import { SharingService } from './sharing/sharing.service.ts';
import { Backlogs } from './temporal/backlogs.ts';
import { Holds } from './temporal/holds.ts';
import { TemporalService } from './temporal/temporal.service.ts';
import { TenantsController } from './tenants/tenants.controller.ts';
import { TenantsService } from './tenants/tenants.service.ts';
import { UploadsController } from './uploads/uploads.controller.ts';
import { UploadsService } from './uploads/uploads.service.ts';
import { MeController } from './users/me.controller.ts';
import { UsersController } from './users/users.controller.ts';
import { UsersService } from './users/users.service.ts';
import { BeatsService } from './work/beats.service.ts';
import { ClaimsService } from './work/claims.service.ts';
import { Dispatcher } from './work/dispatcher.ts';
import { EndingsService } from './work/endings.service.ts';
import { Holders } from './work/holders.ts';
import { ReportsService } from './work/reports.service.ts';
import { ResultFilesController } from './work/result-files.controller.ts';
import { WorkController } from './work/work.controller.ts';

@Module({
  controllers: [
    JobsController,
    BatchController,
    RerunController,
    ListsController,
    ArchiveController,
    LogsController,
    EventsController,
    ResultsController,
    FilesController,
    ContentController,
    SignedUrlsController,
    UploadsController,
    JobAccessController,
    FileAccessController,
    FunctionsController,
    AgentsController,
    PoolsController,
    WorkController,
    ResultFilesController,
    KeysController,
    UsersController,
    TenantsController,
    MeController,
    AuditController,
    HealthController,
  ],
  providers: [
    { provide: APP_GUARD, useClass: AuthGuard },
    { provide: APP_PIPE, useClass: SchemaPipe },
    Access,
    Admission,
    AgentsService,
    ArchiveService,
    AuditLog,
    AuditService,
    ListsService,
    Backlogs,
    BatchService,
    BeatsService,
    Catalogue,
    Changes,
    ClaimsService,
    ControlService,
    DatabaseService,
    Dispatcher,
    EndingsService,
    FilesService,
    FunctionsService,
    Holders,
    Holds,
    Intake,
    JobEventsService,
    JobsService,
    WorkflowLinks,
    KeyRing,
    KeysService,
    LogsService,
    Metrics,
    OpenStreams,
    PageTokens,
    PoolsService,
    QuietLogger,
    RateLimits,
    Readiness,
    ReasonWatch,
    RegistrationService,
    ReportsService,
    RerunService,
    Seals,
    SignedUrls,
    SigningService,
    SharingService,
    Starts,
    StorageService,
    SubmitService,
    TemporalService,
    TenantEventsService,
    TenantsService,
    Tokens,
    Uploads,
    UploadsService,
    UsersService,
    Visibility,
    Visits,
    WaitingReasons,
    WorkflowStatus,
  ],
})
export class AppModule {
  static with(config: ApiConfig, logger: Logger, paths: KnownPaths): DynamicModule {
    return {
      module: AppModule,
      imports: [LoggerModule.forRoot({ useExisting: true, pinoHttp: { logger } })],
      providers: [
        { provide: Settings, useValue: new Settings(config) },
        { provide: KnownPaths, useValue: paths },
      ],
    };
  }
}
