#!/usr/bin/env python3
"""An agent in one file: it speaks HTTP to Perdure and needs nothing but Python's standard library.

    npm start                                        # in one terminal
    python3 examples/http-agent/agent.py             # in another

Without PERDURE_KEY it takes the admin key of `npm start` to make itself a key and to register its function `count-words`. Then submit:

    curl -sS http://127.0.0.1:3000/v1/jobs -H "Authorization: Bearer $(cat .perdure/admin-key)" \\
      -H 'content-type: application/json' -H 'Prefer: wait=20' -d '{"function": "count-words", "parameters": {"text": "one two"}}'
"""

import json, os, signal, sys, threading, urllib.error, urllib.request, uuid

URL = os.environ.get("PERDURE_URL", "http://127.0.0.1:3000")
AGENT = os.environ.get("AGENT_ID", "python-agent")
FUNCTION = {"name": "count-words", "version": "1.0.0"}
LEASE = float(os.environ.get("LEASE_SECONDS", "15"))
leaving = threading.Event()


class Refused(Exception):
    """The server has understood, and said no: another try would not help."""


def call(key, method, path, body=None, kind="application/json", tries=8):
    """Asks until there is an answer: a lost connection and a server that is away cost nothing but time."""
    data = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
    for number in range(1, tries + 1):
        request = urllib.request.Request(URL + path, data, method=method)
        request.add_header("Authorization", "Bearer " + key)
        if data is not None:
            request.add_header("Content-Type", kind)
        try:
            with urllib.request.urlopen(request, timeout=90) as answer:
                text = answer.read()
                return json.loads(text) if answer.status != 204 and text else None
        except urllib.error.HTTPError as error:
            problem = error.read().decode(errors="replace")
            if error.code < 500 and error.code != 429:
                raise Refused(f"{error.code} {problem}")
        except OSError:
            pass
        leaving.wait(min(0.2 * 2**number, 5))
    raise SystemExit(f"{URL} does not answer")


def introduce():
    """A key that speaks for this agent, and a function that it serves. An operator does this once."""
    if "PERDURE_KEY" in os.environ:
        return os.environ["PERDURE_KEY"]
    with open(os.environ.get("PERDURE_HOME", ".perdure") + "/admin-key") as file:
        admin = file.read().strip()
    schema = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string"}}}
    about = {"description": "Counts the words of a text", "inputSchema": schema}
    call(admin, "PUT", "/v1/functions/{name}/{version}".format(**FUNCTION), about)
    return call(admin, "POST", "/v1/keys", {"name": AGENT, "agentId": AGENT})["key"]


def watch(key, job, stop, done):
    """Renews the lease while the function runs, and learns whether it is to stop."""
    while not done.wait(LEASE / 3):
        try:
            orders = call(key, "PUT", f"/v1/agents/{AGENT}/beat", {"jobs": [{"id": job["id"], "attempt": job["attempt"]}]})
        except Refused:
            return stop.set()
        if orders["lost"] or orders["jobs"][0]["stop"]:
            stop.set()


def run(key, job):
    """The work itself. Each word takes SECONDS_PER_WORD, so that there is something to see, and to cancel."""
    attempt, path = job["attempt"], "/v1/jobs/" + job["id"]
    stop, done = threading.Event(), threading.Event()
    watcher = threading.Thread(target=watch, args=(key, job, stop, done), daemon=True)
    watcher.start()
    try:
        words = job["parameters"]["text"].split()
        call(key, "POST", path + "/reports", {"attempt": attempt, "status": "RUNNING"})
        for number, word in enumerate(words, 1):
            if stop.wait(float(os.environ.get("SECONDS_PER_WORD", "0"))) or leaving.is_set():
                call(key, "POST", path + ":giveBack", {"attempt": attempt, "reason": "asked to stop"})
                return
            progress = {"done": number, "total": len(words), "unit": "words"}
            call(key, "POST", path + "/reports", {"attempt": attempt, "progress": progress, "logs": [{"text": word}]})
        listing = "\n".join(sorted(set(words))).encode()
        call(key, "POST", f"{path}/files?attempt={attempt}&name=words.txt", listing, "text/plain")
        call(key, "POST", path + ":complete", {"attempt": attempt, "output": {"words": len(words)}})
    except Refused as refused:
        # Mostly 409 stale-attempt: somebody else has the job by now.
        print("let go of", job["id"], refused, flush=True)
    finally:
        done.set()


def main():
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: leaving.set())
    key = introduce()
    call(key, "POST", "/v1/agents", {"functions": [FUNCTION], "operatingSystem": sys.platform, "leaseSeconds": int(LEASE)})
    print(AGENT, "waits for jobs", flush=True)
    while not leaving.is_set():
        # The id makes a repeat safe: should the answer be lost, it brings the same job again.
        claim = {"claimId": str(uuid.uuid4()), "waitSeconds": 5}
        job = call(key, "POST", f"/v1/agents/{AGENT}/claim", claim)
        if job:
            run(key, job)


main()
