import { Controller, Get, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { JobCounts, JobPage, JobQuery } from '@perdure/job/schemas';
import { Caller, type Principal } from '../http/caller.ts';
import { Operation } from '../http/operation.ts';
import { ListsService } from './lists.service.ts';

@ApiTags('jobs')
@Controller('v1')
export class ListsController {
  constructor(private readonly lists: ListsService) {}

  @Get('jobs')
  @Operation({
    id: 'listJobs',
    summary: 'List jobs',
    description:
      'All of the tenant; to members, their own and those they were given access to. What was written before the request is in the list. Filters are joined by *and*. A page may be short, or even empty, and still have a `nextPageToken`: where few of many jobs are wanted, the search goes on with the next page. While you read page after page, jobs may come, change and go: one that is in the list all the time is on exactly one page.',
    permission: 'jobs.read',
    answers: [{ status: 200, description: 'A page', schema: JobPage }],
  })
  list(@Caller() caller: Principal, @Query({ schema: JobQuery }) query: JobQuery): Promise<JobPage> {
    return this.lists.list(caller, query);
  }

  @Get('jobs::counts')
  @Operation({
    id: 'countJobs',
    summary: 'Count jobs by status',
    description: 'All of the tenant.',
    permission: 'jobs.all',
    answers: [{ status: 200, description: 'The counts', schema: JobCounts }],
  })
  counts(@Caller() caller: Principal): Promise<JobCounts> {
    return this.lists.counts(caller);
  }
}
