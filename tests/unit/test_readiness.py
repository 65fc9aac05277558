"""The readiness of releases, from objects as an API server has them."""

import base64

import pytest
from live_objects import (
    as_json,
    container,
    deployment,
    event,
    metadata,
    owned_by,
    pod,
    readiness,
    replica_set,
    stateful_set,
    subject,
)
from sidelane.releases.readiness import Cleaner, Live, Readiness, assess, secrets_of
from sidelane.releases.readiness.value import merged

BOTH = pytest.mark.parametrize("helm", [3, 4])

CRASHING = container(
    "logviewer",
    {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 40s restarting failed container"}},
    last={"exitCode": 254, "reason": "Error", "message": "Exception: no appender\n\tat Logviewer.main\n"},
    restarts=3,
)


@BOTH
def test_a_container_that_ends_is_named_with_its_exit_code_restarts_and_last_lines(helm):
    workers = stateful_set("supervisor-2-coco-1", 2, 1)
    pods = [pod("supervisor-2-coco-1-0", workers, CRASHING), pod("supervisor-2-coco-1-1", workers, ready=True)]
    ready = readiness(workers, helm=helm, pods=pods)
    assert (ready.ready, ready.wanted, ready.complete) == (1, 2, False)
    assert ready.summary() == (
        "1 of 2 ready; supervisor-2-coco-1-0: container logviewer is waiting: CrashLoopBackOff (exit 254), 3 restarts"
    )
    assert ready.text().splitlines()[1:] == [
        "  container logviewer is waiting: CrashLoopBackOff (exit 254), 3 restarts",
        "    back-off 40s restarting failed container",
        "    log: Exception: no appender",
        "    log: at Logviewer.main",
    ]
    (unready,) = as_json(ready.to_json())["unready"]
    assert (unready["kind"], unready["name"], unready["release"]) == (
        "Pod",
        "supervisor-2-coco-1-0",
        "zookeeper-coco-1",
    )
    assert unready["containers"][0]["exitCode"] == 254
    assert unready["containers"][0]["restarts"] == 3


@BOTH
def test_all_ready_is_complete(helm):
    zk, ui = stateful_set("zk", 1, 1), deployment("ui", 1, 1)
    made = replica_set(ui, "2")
    pods = [pod("zk-0", zk, ready=True), pod("ui-0", made, ready=True)]
    ready = readiness(zk, ui, helm=helm, pods=pods, replica_sets=[made])
    assert ready == Readiness(2, 2, complete=True)
    assert ready.summary() == "2 of 2 ready"


@BOTH
def test_a_stateful_set_scaled_to_nothing_is_ready(helm):
    assert readiness(stateful_set("zk", 0, 0), helm=helm) == Readiness(0, 0, complete=True)


@BOTH
def test_an_object_that_is_not_there_counts_what_it_asks_for(helm):
    ready = readiness(None, helm=helm, manifest=[stateful_set("zk", 3, 0)])
    assert (ready.ready, ready.wanted, ready.complete) == (0, 3, False)
    assert ready.summary() == "0 of 3 ready; StatefulSet zk: it is missing"


def test_a_deployment_by_helm_3_may_lack_what_its_strategy_allows_and_by_helm_4_may_not():
    svc = deployment("svc1", 4, 3)
    made = replica_set(svc, "2")
    pods = [pod(f"svc1-{i}", made, ready=True) for i in range(3)]
    pods.append(pod("svc1-3", made, container("app", {"running": {}})))
    three, four = (readiness(svc, helm=helm, pods=pods, replica_sets=[made]) for helm in (3, 4))
    assert (three.complete, four.complete) == (True, False)
    assert three.counted == four.counted == "3 of 4 ready"
    assert three.unready[0].name == four.unready[0].name == "svc1-3"


@pytest.mark.parametrize("helm", [3, 4])
def test_pods_of_old_replica_sets_and_pods_that_leave_do_not_count(helm):
    svc = deployment("svc1", 1, 1)
    old, new = replica_set(svc, "1"), replica_set(svc, "2")
    gone = pod("svc1-old", old, container("app", {"terminated": {"exitCode": 143}}))
    leaving = pod("svc1-leaving", new, ready=True, deletionTimestamp="2026-11-26T10:00:30Z")
    ready = readiness(svc, helm=helm, replica_sets=[old, new], pods=[pod("a", new, ready=True), gone, leaving])
    assert ready == Readiness(1, 1, complete=True)


def test_old_pods_that_have_still_to_end_keep_helm_4_waiting():
    svc = deployment("svc1", 1, 1, replicas=2)
    new = replica_set(svc, "2")
    ready = readiness(svc, replica_sets=[new], pods=[pod("a", new, ready=True)])
    assert ready.summary() == "1 of 1 ready; Deployment svc1: 1 surplus pods are still terminating"


@BOTH
def test_a_pod_of_a_stateful_set_that_is_being_deleted_is_waited_for(helm):
    zk = stateful_set("zk", 1, 0)
    ready = readiness(zk, helm=helm, pods=[pod("zk-0", zk, ready=True, deletionTimestamp="2026-11-26T10:00:30Z")])
    assert ready.summary() == "0 of 1 ready; zk-0: Terminating: it is being deleted"


@BOTH
def test_unschedulable_is_told_and_is_not_hopeless(helm):
    zk = stateful_set("zk", 1, 0)
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}
    status = {"conditions": [{**condition, "message": "0/1 nodes are available: 1 Insufficient cpu."}]}
    ready = readiness(zk, helm=helm, pods=[pod("zk-0", zk, status=status)])
    assert ready.summary() == "0 of 1 ready; zk-0: Unschedulable: 0/1 nodes are available: 1 Insufficient cpu."
    assert ready.hopeless == ()


@BOTH
def test_an_image_name_that_can_not_be_one_is_hopeless(helm):
    zk = stateful_set("zk", 1, 0)
    state = {"waiting": {"reason": "InvalidImageName", "message": 'couldn\'t parse image name "a b"'}}
    ready = readiness(zk, helm=helm, pods=[pod("zk-0", zk, container("zookeeper", state))])
    assert [unready.name for unready in ready.hopeless] == ["zk-0"]
    other = {"waiting": {"reason": "ImagePullBackOff"}}
    assert not readiness(zk, helm=helm, pods=[pod("zk-0", zk, container("zookeeper", other))]).hopeless


def test_what_is_complete_is_not_hopeless():
    zk = stateful_set("zk", 1, 0)
    zk["spec"]["updateStrategy"] = {"type": "OnDelete"}
    state = {"waiting": {"reason": "InvalidImageName"}}
    ready = readiness(zk, pods=[pod("zk-0", zk, container("zookeeper", state))])
    assert (ready.complete, ready.hopeless, len(ready.unready)) == (True, (), 1)


@BOTH
def test_what_tells_most_comes_first(helm):
    zk = stateful_set("zk", 3, 0)
    starting = container("zookeeper", {"waiting": {"reason": "ContainerCreating"}})
    invalid = container("zookeeper", {"waiting": {"reason": "InvalidImageName"}})
    pods = [pod("zk-0", zk, starting), pod("zk-1", zk, CRASHING), pod("zk-2", zk, invalid)]
    assert [unready.name for unready in readiness(zk, helm=helm, pods=pods).unready] == ["zk-2", "zk-1", "zk-0"]


def test_an_init_container_that_fails_is_named_and_what_waits_for_it_is_not():
    zk = stateful_set("zk", 1, 0)
    done = {"name": "first", "ready": True, "restartCount": 0, "state": {"terminated": {"exitCode": 0}}}
    failing = container("second", {"waiting": {"reason": "CrashLoopBackOff"}}, last={"exitCode": 2}, restarts=1)
    later = container("third", {"waiting": {"reason": "PodInitializing"}})
    main = container("zookeeper", {"waiting": {"reason": "PodInitializing"}})
    pod_ = pod("zk-0", zk, main, status={"initContainerStatuses": [done, failing, later]})
    (ready,) = readiness(zk, pods=[pod_]).unready
    assert ready.cause == "init container second is waiting: CrashLoopBackOff (exit 2), 1 restart"
    assert len(ready.containers) == 1


def test_a_failing_probe_is_told_by_kubelets_event():
    zk = stateful_set("zk", 1, 0)
    pod_ = pod("zk-0", zk, container("zookeeper", {"running": {"startedAt": "2026-11-26T10:00:05Z"}}))
    probe = event(
        pod_,
        "Unhealthy",
        "Readiness probe failed: not serving",
        count=7,
        of={"fieldPath": "spec.containers{zookeeper}"},
    )
    passed = event(pod_, "FailedScheduling", "0/1 nodes are available")
    ready = readiness(zk, pods=[pod_], events=[passed, probe, event(zk, "Other", "of another object")])
    assert ready.text().splitlines() == [
        "zk-0:",
        "  container zookeeper is running and not ready",
        "    Readiness probe failed: not serving",
    ]


def test_events_are_the_newest_and_warnings_when_there_are_some():
    zk = stateful_set("zk", 1, 0)
    pod_ = pod("zk-0", zk, container("zookeeper", {"waiting": {"reason": "ContainerCreating"}}))
    events = [event(pod_, "FailedMount", f'secret "{i}" not found', f"2026-11-26T10:0{i}:00Z") for i in range(5)]
    events += [{**event(pod_, "Pulled", "Successfully pulled", "2026-11-26T10:09:00Z"), "type": "Normal"}]
    (ready,) = readiness(zk, pods=[pod_], events=reversed(events)).unready
    assert [event.message for event in ready.events] == [f'secret "{i}" not found' for i in (2, 3, 4)]


@pytest.mark.parametrize("by", ["condition", "event"])
def test_pods_that_can_not_be_made_are_told_by_their_workload(by):
    message = 'pods "svc1-" is forbidden: violates PodSecurity "restricted:latest"'
    if by == "condition":
        owner = deployment("svc1", 1, 0, replicas=0, updatedReplicas=0)
        failing = [{"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": message}]
        made = replica_set(owner, "2", conditions=failing)
        ready = readiness(owner, replica_sets=[made])
    else:
        owner = stateful_set("svc1", 1, 0, replicas=0)
        ready = readiness(owner, events=[event(owner, "FailedCreate", message)])
    assert ready.summary() == f"0 of 1 ready; {owner['kind']} svc1: FailedCreate: {message}"


def test_a_failure_to_make_pods_that_has_passed_is_not_told():
    owner = stateful_set("zk", 2, 0, replicas=1)
    pod_ = pod("zk-0", owner, container("zookeeper", {"waiting": {"reason": "ContainerCreating"}}))
    passed = event(owner, "FailedCreate", "exceeded quota", "2026-11-26T09:59:00Z")
    assert [unready.kind for unready in readiness(owner, pods=[pod_], events=[passed]).unready] == ["Pod"]


def test_a_claim_that_nobody_provides_is_named_beside_its_pod():
    zk = stateful_set("zk", 1, 0)
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "unbound claims"}
    pod_ = pod("zk-0", zk, status={"conditions": [condition]})
    pod_["spec"] = {"volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data-zk-0"}}]}
    claim = {"kind": "PersistentVolumeClaim", "metadata": metadata("data-zk-0"), "status": {"phase": "Pending"}}
    provisioning = event(claim, "ProvisioningFailed", 'storageclass.storage.k8s.io "nothing" not found')
    ready = readiness(zk, pods=[pod_], claims=[claim], events=[provisioning])
    assert [unready.label for unready in ready.unready] == ["zk-0", "PersistentVolumeClaim data-zk-0"]
    assert ready.wanted == 1
    assert 'event: ProvisioningFailed: storageclass.storage.k8s.io "nothing" not found' in ready.text()


@BOTH
def test_a_claim_of_the_release_itself_counts(helm):
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": metadata("data"),
        "status": {"phase": "Pending"},
    }
    assert readiness(claim, helm=helm).summary() == "0 of 1 ready; PersistentVolumeClaim data: its phase is Pending"
    claim["status"]["phase"] = "Bound"
    assert readiness(claim, helm=helm).complete


@pytest.mark.parametrize(("helm", "complete"), [(3, False), (4, True)])
def test_a_pod_that_has_ended_is_done_to_helm_4_alone(helm, complete):
    pod_ = pod("seed", None, status={"phase": "Failed", "reason": "Evicted", "message": "low on memory"})
    ready = readiness(pod_, helm=helm)
    assert (ready.complete, ready.ready) == (complete, 0)
    assert ready.unready[0].cause == "Evicted: low on memory"
    assert bool(ready.hopeless) is not complete, "it never runs again, so Helm 3 would wait in vain"


@pytest.mark.parametrize("helm", [3, 4])
@pytest.mark.parametrize(
    ("status", "ready"),
    [
        ({}, False),
        ({"desiredNumberScheduled": 2, "updatedNumberScheduled": 1, "observedGeneration": 1}, False),
        (
            {
                "desiredNumberScheduled": 2, "currentNumberScheduled": 2, "updatedNumberScheduled": 2,
                "numberReady": 2, "numberAvailable": 2, "observedGeneration": 1,
            },
            True,
        ),
    ],
)  # fmt: skip
def test_daemon_sets(helm, status, ready):
    body = {
        "apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": metadata("agent"), "status": status,
        "spec": {"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0}}},
    }  # fmt: skip
    assert readiness(body, helm=helm).complete is ready


def test_jobs_are_waited_for_to_start_by_helm_4_and_not_at_all_by_helm_3():
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata("seed"), "status": {}}
    assert not readiness(job).complete
    assert readiness({**job, "status": {"startTime": "2026-11-26T10:00:00Z"}}).complete
    failed = {"conditions": [{"type": "Failed", "status": "True"}]}
    ready = readiness({**job, "status": failed})
    assert (ready.summary(), len(ready.hopeless)) == ("0 of 1 ready; Job seed: it failed", 1)
    text = "apiVersion: batch/v1\nkind: Job\nmetadata: {name: seed}\n"
    assert [len(subject(text, helm=helm).objects) for helm in (3, 4)] == [0, 1]


def test_load_balancers_and_conditions_of_custom_resources_are_what_each_helm_waits_for():
    balancer = {
        "apiVersion": "v1", "kind": "Service", "metadata": metadata("web"), "status": {"loadBalancer": {}},
        "spec": {"type": "LoadBalancer", "clusterIP": "10.96.0.9"},
    }  # fmt: skip
    assert [readiness(balancer, helm=helm).complete for helm in (3, 4)] == [False, True]
    certificate = {
        "apiVersion": "cert-manager.io/v1", "kind": "Certificate", "metadata": metadata("tls"),
        "status": {"conditions": [{"type": "Ready", "status": "False", "message": "issuer not found"}]},
    }  # fmt: skip
    assert readiness(certificate).summary() == "0 of 1 ready; Certificate tls: issuer not found"
    plain = "".join(f"---\napiVersion: v1\nkind: {kind}\nmetadata: {{name: a}}\n" for kind in ("Service", "ConfigMap"))
    assert [subject(plain, helm=helm).objects for helm in (3, 4)] == [(), ()]


@BOTH
def test_a_change_that_the_controller_has_not_seen_is_waited_for(helm):
    zk = stateful_set("zk", 1, 1, observedGeneration=1)
    zk["metadata"]["generation"] = 2
    ready = readiness(zk, helm=helm, pods=[pod("zk-0", zk, ready=True)])
    assert ready.summary() == "1 of 1 ready; StatefulSet zk: its controller has not seen its last change"


@BOTH
def test_a_paused_deployment_is_ready(helm):
    svc = deployment("svc1", 1, 0)
    svc["spec"]["paused"] = True
    assert readiness(svc, helm=helm).complete


HOOK = """\
apiVersion: batch/v1
kind: Job
metadata: {name: seed, annotations: {helm.sh/hook: "post-install, pre-upgrade"}}
---
apiVersion: v1
kind: Pod
metadata: {name: try, annotations: {helm.sh/hook: test}}
"""


def test_hooks_count_while_they_run_in_the_verb_that_runs_them():
    hook = subject(HOOK, hooks="install")
    assert [obj.name for obj in hook.objects] == ["seed"]
    assert subject(HOOK).objects == subject(HOOK, hooks="rollback").objects == ()
    assert assess(hook, Live((None,))) == Readiness(0, 0, complete=True)
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata("seed"), "status": {"active": 1}}
    running = assess(hook, Live((job,), pods=(pod("seed-x", job, CRASHING),)))
    assert running.summary().startswith("0 of 1 ready; seed-x: container logviewer is waiting: CrashLoopBackOff")
    done = {**job, "status": {"conditions": [{"type": "Complete", "status": "True"}]}}
    assert assess(hook, Live((done,))).complete


def test_several_releases_are_one_when_they_are_merged():
    zk = stateful_set("zk", 1, 0)
    ready = readiness(zk, pods=[pod("zk-0", zk, CRASHING)])
    both = merged([ready, Readiness(2, 2, complete=True, note="events can't be read")])
    assert (both.counted, both.complete, both.note) == ("2 of 3 ready", False, "events can't be read")
    assert both.unready == ready.unready


def test_readiness_that_could_not_be_read_is_unknown():
    unknown = Readiness(0, 0, complete=False, note="readiness can't be read: no answer")
    assert (unknown.counted, unknown.text()) == ("unknown", "(readiness can't be read: no answer)")
    assert Readiness(0, 0, complete=True).counted == "0 of 0 ready"


def test_many_that_are_not_ready_are_described_in_part_and_named_in_full():
    zk = stateful_set("zk", 30, 0)
    ready = readiness(zk, pods=[pod(f"zk-{i}", zk, CRASHING) for i in range(30)])
    assert ready.summary().endswith("; and 29 more")
    assert ready.text().splitlines()[-1].startswith("and 20 more: zk-10, zk-11")
    assert len(ready.to_json()["unready"]) == 30


def test_what_others_wrote_can_not_act_on_a_terminal_or_break_lines():
    zk = stateful_set("zk", 1, 0)
    evil = "\x1b]0;owned\x07\x1b[31mred\x1b[0m\nnext\r\u202etxt\x9b2J\x00"
    state = {"waiting": {"reason": evil, "message": evil}}
    pod_ = pod("zk-0", zk, container(evil, state, last={"exitCode": 1, "message": evil}))
    ready = readiness(zk, pods=[pod_], events=[event(pod_, evil, evil)])
    shown = ready.summary() + ready.text().replace("\n", "") + str(ready.to_json())
    assert not any(ord(char) < 32 or 127 <= ord(char) < 160 or char == "\u202e" for char in shown)
    assert "owned" not in shown
    assert "red next txt" in ready.summary()
    assert ready.unready[0].containers[0].log == ("red", "next", "txt")


@pytest.mark.parametrize(
    "secret", ["hunter2hunter2", "pa ss", "-----BEGIN KEY-----\nMIIEvQIBADANBgkq\n-----END KEY-----"]
)
@pytest.mark.parametrize("place", ["values", "data", "stringData"])
def test_secrets_are_hidden_in_logs_messages_and_events(secret, place):
    encoded = base64.b64encode(secret.encode()).decode()
    manifest = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}}
    values = {"auth": {"adminPassword": secret}} if place == "values" else {}
    if place != "values":
        manifest[place] = {"key": encoded if place == "data" else secret}
    clean = Cleaner(secrets_of(values, [manifest]))
    zk = stateful_set("zk", 1, 0)
    text = f"login {secret} failed, basic {encoded}\n{secret}"
    state = {"waiting": {"reason": "CrashLoopBackOff", "message": text.replace("\n", " ")}}
    pod_ = pod("zk-0", zk, container("zookeeper", state, last={"exitCode": 1, "message": text}))
    ready = readiness(zk, pods=[pod_], events=[event(pod_, "Failed", text)], clean=clean)
    shown = ready.summary() + ready.text() + str(ready.to_json())
    for line in [*secret.splitlines(), encoded]:
        assert line not in shown or "KEY" in line
    assert "login (hidden) failed, basic (hidden)" in shown


def test_environment_variables_with_a_secret_name_are_secret_and_names_of_secrets_are_not():
    env = [{"name": "DB_PASSWORD", "value": "hunter2hunter2"}, {"name": "MODE", "value": "plain-text"}]
    volume = {"name": "tls", "secret": {"secretName": "svc1-tls"}}
    spec = {"template": {"spec": {"containers": [{"name": "a", "env": env}], "volumes": [volume]}}}
    clean = Cleaner(secrets_of({}, [{"kind": "Deployment", "spec": spec}]))
    text = 'hunter2hunter2 plain-text secret "svc1-tls" not found'
    assert clean.text(text) == '(hidden) plain-text secret "svc1-tls" not found'


def test_a_log_that_begins_in_the_middle_of_a_secret_does_not_show_its_rest():
    clean = Cleaner(["topsecretword"])
    cut = "secretword is wrong\n" + "x" * 2040 + "\nlast line"
    assert not any("secretword" in line for line in clean.last_words(cut))
    assert clean.last_words(cut)[-1] == "last line"
    assert clean.last_words("one\n\ntwo\n") == ("one", "two")
    assert len(clean.last_words("\n".join(map(str, range(80))))) == 10


def test_texts_too_short_to_be_secret_are_not_hidden_everywhere():
    assert Cleaner(secrets_of({"password": "1"}, [])).text("exit 1 of 11") == "exit 1 of 11"


def test_pods_of_other_owners_do_not_count():
    zk, other = stateful_set("zk", 1, 1), stateful_set("other", 1, 0)
    ready = readiness(zk, pods=[pod("zk-0", zk, ready=True), pod("other-0", other, CRASHING)])
    assert ready == Readiness(1, 1, complete=True)
    assert owned_by(zk)[0]["controller"]
