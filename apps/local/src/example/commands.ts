import pc from 'picocolors';
import { shown } from '../address-table.ts';

/** The commands that do the same as the example, ready to be pasted. The key itself is not shown. */
export function commands({
  apiUrl,
  jobId,
  keyFile,
}: {
  apiUrl: string;
  jobId: string;
  keyFile: string;
}): string {
  const json = `-H 'content-type: application/json'`;
  const bytes = `-H 'content-type: application/octet-stream'`;
  const idOf = `| sed 's/.*"id":"\\([^"]*\\)".*/\\1/'`;
  const upload = (name: string): string =>
    `$(call '${apiUrl}/v1/files?name=${name}' ${bytes} --data-binary @examples/breast-cancer/${name} ${idOf})`;
  return [
    pc.bold('The same by hand:'),
    `  call() { curl -sS -H "Authorization: Bearer $(cat ${shown(keyFile)})" "$@"; }`,
    `  MODEL=${upload('model.onnx')}`,
    `  CARD=${upload('model.json')}`,
    `  DATA=${upload('score.csv')}`,
    `  call ${apiUrl}/v1/jobs ${json} \\`,
    `    -d '{"function":"predict","parameters":{"model":"'$MODEL'","modelCard":"'$CARD'","data":"'$DATA'"}}'`,
    `  call -H 'Prefer: wait=20' ${apiUrl}/v1/jobs/${jobId}`,
    `  call -L ${apiUrl}/v1/jobs/${jobId}/result`,
    '',
  ].join('\n');
}
