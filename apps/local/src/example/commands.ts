import pc from 'picocolors';
import { shown } from '../address-table.ts';

/** The commands that do the same as the example, ready to be pasted. The key itself is not shown. */
export function commands({ apiUrl, keyFile }: { apiUrl: string; keyFile: string }): string {
  const bytes = `-H 'content-type: application/octet-stream' --data-binary`;
  const upload = (name: string): string =>
    `$(call "$API/files?name=${name}" ${bytes} @examples/breast-cancer/${name} | id)`;
  return [
    pc.bold('The same by hand:'),
    `  API=${apiUrl}/v1`,
    `  call() { curl -sS -w '\\n' -H "Authorization: Bearer $(cat ${shown(keyFile)})" "$@"; }`,
    `  id() { grep -o '"id":"[^"]*"' | head -n 1 | cut -d '"' -f 4; }`,
    `  MODEL=${upload('model.onnx')}`,
    `  CARD=${upload('model.json')}`,
    `  DATA=${upload('score.csv')}`,
    `  JOB=$(call "$API/jobs" -H 'content-type: application/json' -H 'Prefer: wait=20' \\`,
    `    -d '{"function":"predict","parameters":{"model":"'$MODEL'","modelCard":"'$CARD'","data":"'$DATA'"}}' | id)`,
    `  call "$API/jobs/$JOB"`,
    `  call -L "$API/jobs/$JOB/result"`,
    '',
  ].join('\n');
}
