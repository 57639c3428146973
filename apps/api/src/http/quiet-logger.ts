import { Injectable } from '@nestjs/common';
import { Logger } from 'nestjs-pino';

const wordy = new Set<unknown>(['InstanceLoader', 'RouterExplorer', 'RoutesResolver']);

/** Nest's own logger without its forty lines about modules and routes at every start. */
@Injectable()
export class QuietLogger extends Logger {
  override log(message: unknown, ...optional: unknown[]): void {
    if (!wordy.has(optional.at(-1))) super.log(message, ...optional);
  }
}
