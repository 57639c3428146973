import { count } from './count.ts';
import { echo } from './echo.ts';
import { fail } from './fail.ts';
import { sleep } from './sleep.ts';

/** For trying and testing. */
export const functions = [echo, sleep, fail, count];
