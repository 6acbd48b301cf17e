#!/usr/bin/env python3
"""A remote agent in about sixty lines of standard library: INTERLOCK_URL, then the tasks that it knows as functions below."""
import json, os, socket, threading, time, traceback, urllib.error, urllib.request

URL = os.environ.get('INTERLOCK_URL', 'http://127.0.0.1:7400').rstrip('/')
NAME = os.environ.get('AGENT_NAME', 'python')
SLOTS = int(os.environ.get('AGENT_SLOTS', '2'))
agent, held, stopped = None, {}, threading.Event()  # held: (job, token) -> an event that says stop

def call(method, path, body=None, timeout=30, insist=True):
    """Answers (status, body). A coordinator that restarts, or says 503, is asked again; 4xx is an answer."""
    while True:
        try:
            request = urllib.request.Request(URL + path, json.dumps(body or {}).encode(), {'Content-Type': 'application/json'}, method=method)
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            if error.code < 500:
                return error.code, json.load(error)
        except (OSError, ValueError):
            pass
        if not insist or stopped.wait(0.5):
            return 503, {}

def register():
    global agent
    for stop in held.values(): stop.set()
    _, answer = call('POST', '/agents', {'name': NAME, 'queues': ['default'], 'slots': SLOTS, 'host': socket.gethostname(), 'pid': os.getpid(), 'lease_seconds': 6})
    agent = answer['agent_id']
    print(f'registered {agent}', flush=True)

def beat():
    while not stopped.wait(1):
        jobs = [{'job_id': job, 'token': token} for job, token in list(held)]
        status, answer = call('POST', f'/agents/{agent}/heartbeat', {'held': jobs, 'cpu_percent': min(100, 100 * os.getloadavg()[0] / os.cpu_count())}, 5, insist=False)
        if status == 409: register()  # given up: stop everything, begin anew
        for order in answer.get('stop', []):
            held.get((order['job_id'], order['token']), threading.Event()).set()

def run(job):
    key, path, token = (job['job_id'], job['token']), f"/jobs/{job['job_id']}", {'token': job['token']}
    stop = held[key]
    try:
        if call('POST', path + '/started', token)[0] != 200: return  # nothing may be started before this was accepted
        result = TASKS[job['task']](job, stop, lambda percent, words: call('POST', path + '/progress', {**token, 'percent': percent, 'description': words}),
                                    lambda lines: call('POST', path + '/output', {**token, 'chunks': [{'stream': 'stdout', 'lines': lines}]}))
        if stop.is_set(): call('POST', path + '/return', {**token, 'reason': 'told to stop'})  # cancelled ones end by this
        else: call('POST', path + '/complete', {**token, 'result': result})
    except Exception as error:
        call('POST', path + '/fail', {**token, 'error': {'message': str(error) or 'failed', 'code': type(error).__name__, 'stack': traceback.format_exc()}})
    finally: held.pop(key, None)

def count(job, stop, progress, output):
    """The one task of this example: counts to n, a step each `seconds`, and says so."""
    n, seconds = job['payload'].get('n', 3), job['payload'].get('seconds', 0)
    for step in range(1, n + 1):
        if stop.wait(seconds): return None
        output(f'step {step} of {n}')
        progress(100 * step / n, f'step {step}')
    return {'counted': n, 'by': agent}

TASKS = {'count': count}
if __name__ == '__main__':
    register()
    threading.Thread(target=beat, daemon=True).start()
    while True:
        room = SLOTS - len(held)
        if room == 0: time.sleep(0.05); continue
        waiting = [{'job_id': job, 'token': token} for job, token in list(held)]
        status, answer = call('POST', f'/agents/{agent}/claim?wait_seconds=20', {'limit': room, 'held': waiting}, 40)
        if status != 200: time.sleep(0.2)
        for job in answer.get('jobs', []):
            if held.setdefault((job['job_id'], job['token']), event := threading.Event()) is event:
                threading.Thread(target=run, args=(job,), daemon=True).start()
