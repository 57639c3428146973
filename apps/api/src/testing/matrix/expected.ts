/**
 * Who asks: the owner of the things (a member); members to whom access to them was given, and one to whom none was; an operator and an admin of
 * the tenant; the agent that holds the job, and another one; an admin of another tenant; nobody.
 */
export const callers = [
  ...['owner', 'viewer', 'editor', 'member', 'operator', 'admin', 'agent', 'idle', 'foreign', 'nobody'],
] as const;
export type Caller = (typeof callers)[number];

/** `ok`: as the operation answers whoever may. 404: with the body of an unknown id. */
export type Expected = 'ok' | 401 | 403 | 404;

/* prettier-ignore */
const table = {
  //              owner viewer editor member operator admin agent idle foreign nobody
  anybody:       'ok    ok     ok     ok     ok       ok    ok    ok   ok      ok ',
  known:         'ok    ok     ok     ok     ok       ok    ok    ok   ok      401',
  // What belongs to nobody in particular.
  users:         'ok    ok     ok     ok     ok       ok    403   403  ok      401',
  operators:     '403   403    403    403    ok       ok    403   403  ok      401',
  admins:        '403   403    403    403    403      ok    403   403  ok      401',
  // What belongs to the tenant.
  tenantUsers:   'ok    ok     ok     ok     ok       ok    403   403  404     401',
  tenantStaff:   '403   403    403    403    ok       ok    403   403  404     401',
  tenantAdmins:  '403   403    403    403    403      ok    403   403  404     401',
  // What belongs to the owner.
  viewers:       'ok    ok     ok     404    ok       ok    403   403  404     401',
  editors:       'ok    403    ok     404    ok       ok    403   403  404     401',
  owners:        'ok    403    403    404    ok       ok    403   403  404     401',
  fileReaders:   'ok    ok     ok     404    ok       ok    ok    404  404     401',
  ownerAndAdmin: 'ok    404    404    404    404      ok    403   403  404     401',
  ownerAlone:    'ok    404    404    404    404      404   403   403  404     401',
  // What the agent holds, and what it is.
  holder:        '403   403    403    403    403      403   ok    404  403     401',
  registrars:    '403   403    403    403    ok       ok    ok    ok   ok      401',
  // What the installation is.
  installers:    '403   403    403    403    403      ok    403   403  403     401',
  watchers:      '403   403    403    403    ok       ok    403   403  403     401',
} as const;

export type Who = keyof typeof table;

export function expectedOf(who: Who, caller: Caller): Expected {
  const cell = table[who].trim().split(/ +/)[callers.indexOf(caller)];
  if (cell === 'ok') return cell;
  const status = Number(cell);
  if (status === 401 || status === 403 || status === 404) return status;
  throw new Error(`the row ${who} has no cell for ${caller}`);
}
