#!/bin/sh
# An agent in shell: curl, and jq or nothing else. It serves `checksum`: the SHA-256 of a file.
#
#     npm start                                        # in one terminal
#     sh examples/http-agent/agent.sh                  # in another
#
# Without PERDURE_KEY it takes the admin key of `npm start` to make itself a key and to register its function.
set -eu
url=${PERDURE_URL:-http://127.0.0.1:3000}
agent=${AGENT_ID:-shell-agent}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 0' INT TERM

# call KEY METHOD PATH [curl's own options]: repeats what got no answer, prints the body, fails on 4xx.
call() {
  key=$1 method=$2 path=$3; shift 3
  curl -sS --fail-with-body --retry 8 --retry-connrefused --max-time 90 -X "$method" "$url$path" \
    -H "Authorization: Bearer $key" "$@"
}
json() { key=$1 method=$2 path=$3 body=$4; call "$key" "$method" "$path" -H 'content-type: application/json' -d "$body"; }

# field NAME: the first text or number of that name in the JSON on standard input.
field() { grep -oE "\"$1\":(\"[^\"]*\"|[0-9]+)" | head -n 1 | cut -d : -f 2- | tr -d '"'; }

if [ -z "${PERDURE_KEY:-}" ]; then
  admin=$(cat "${PERDURE_HOME:-.perdure}/admin-key")
  json "$admin" PUT /v1/functions/checksum/1.0.0 '{"description": "The SHA-256 of a file",
    "inputSchema": {"type": "object", "required": ["file"], "properties": {"file": {"type": "string", "format": "perdure-file"}}}}' >/dev/null
  PERDURE_KEY=$(json "$admin" POST /v1/keys "{\"name\": \"$agent\", \"agentId\": \"$agent\"}" | field key)
fi
json "$PERDURE_KEY" POST /v1/agents '{"functions": [{"name": "checksum", "version": "1.0.0"}], "operatingSystem": "linux"}' >/dev/null
echo "$agent waits for jobs"

while :; do
  # The claim id makes a repeat safe: should the answer be lost, it brings the same job again.
  claim=$(od -An -N8 -tx1 /dev/urandom | tr -d ' \n')
  job=$(json "$PERDURE_KEY" POST "/v1/agents/$agent/claim" "{\"claimId\": \"$claim\", \"waitSeconds\": 5}") || { sleep 1; continue; }
  [ -n "$job" ] || continue
  id=$(echo "$job" | field id) attempt=$(echo "$job" | field attempt)
  file=$(echo "$job" | grep -oE '"parameters":\{[^}]*\}' | field file)
  (
    # -e is off inside `||`: each step says what becomes of the job.
    json "$PERDURE_KEY" POST "/v1/jobs/$id/reports" "{\"attempt\": $attempt, \"status\": \"RUNNING\"}" >/dev/null &&
      call "$PERDURE_KEY" GET "/v1/files/$file/content" -o "$work/input" &&
      sum=$(sha256sum "$work/input" | cut -d ' ' -f 1) &&
      json "$PERDURE_KEY" POST "/v1/jobs/$id:complete" "{\"attempt\": $attempt, \"output\": {\"sha256\": \"$sum\"}}" >/dev/null
  ) || json "$PERDURE_KEY" POST "/v1/jobs/$id:fail" "{\"attempt\": $attempt, \"detail\": \"the file could not be read\"}" >/dev/null || echo "let go of $id"
done
