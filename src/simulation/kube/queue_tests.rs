use super::*;

fn pod(index: u32) -> PodIndex {
    PodIndex(index)
}

fn causes(rejectors: &[Rejector]) -> Causes {
    let mut causes = Causes::of_nodes(10);
    rejectors.iter().for_each(|rejector| causes.count(*rejector));
    causes
}

/// Something happened that helps every pod that some plugin registered for it.
fn wake(queue: &mut Queue, event: ClusterEvent, now_ms: u64) {
    queue.wake(event, now_ms, |_, _| true);
}

/// Nothing is tried early, and notes wake nobody.
const PATIENT: QueueSettings = QueueSettings {
    first_backoff_ms: 1_000,
    most_backoff_ms: 10_000,
    most_parked_ms: 300_000,
    try_backing_off_when_idle: false,
    own_note_wakes: false,
};

#[test]
fn priority_goes_before_time_and_time_before_arrival() {
    let mut queue = Queue::new(PATIENT);
    for (index, priority, at_ms) in [(0, 0, 5), (1, 0, 5), (2, 7, 9), (3, 0, 1), (4, -1, 0)] {
        queue.push(pod(index), priority, at_ms);
    }
    let order: Vec<_> = std::iter::from_fn(|| queue.pop(10)).collect();
    assert_eq!(order, [2, 3, 0, 1, 4].map(pod));
    assert_eq!(queue.len(), 5, "in flight");
    assert_eq!(queue.remove(pod(2)), Some(1));
    assert_eq!(queue.remove(pod(2)), None);
}

/// `calculateBackoffDuration`: 1, 2, 4, 8, 10, 10 s; each up to the end of its second.
#[test]
fn backoff_doubles_to_ten_seconds() {
    let mut queue = Queue::new(PATIENT);
    queue.push(pod(0), 0, 0);
    let mut now_ms = 500;
    for backoff_ms in [1_000, 2_000, 4_000, 8_000, 10_000, 10_000] {
        assert_eq!(queue.pop(now_ms), Some(pod(0)));
        queue.refuse(pod(0), &causes(&[Rejector::NodeResourcesFit]), now_ms);
        wake(&mut queue, ClusterEvent::PodGone(pod(9)), now_ms);
        let ready_ms = (now_ms + backoff_ms) / 1_000 * 1_000 + 1_000;
        assert_eq!(queue.next_ms(), Some(ready_ms));
        assert_eq!(queue.pop(ready_ms - 1), None);
        now_ms = ready_ms;
    }
    assert_eq!(queue.attempts(pod(0)), 6);
}

#[test]
fn an_event_wakes_those_whom_it_could_help() {
    use ClusterEvent as Event;
    use Rejector as By;
    let events = [
        Event::NodeAdded(NodeIndex(0)),
        Event::NodeRemoved(NodeIndex(0)),
        Event::NodeCordoned,
        Event::NodeUncordoned,
        Event::PodBound(pod(9)),
        Event::PodGone(pod(9)),
    ];
    // Which of the events above, in their order, wake a pod that this one turned away.
    for (rejector, woken) in [
        (By::NodeUnschedulable, "x..x.."),
        (By::NodeName, "x....."),
        (By::TaintToleration, "x....."),
        (By::NodeAffinity, "x....."),
        (By::NodeResourcesFit, "x....x"),
        (By::PodTopologySpread, "xx..xx"),
        (By::InterPodAffinity, "x...xx"),
        (By::Extender, "xxxxxx"),
    ] {
        for (event, expected) in events.into_iter().zip(woken.chars()) {
            let mut queue = Queue::new(PATIENT);
            queue.push(pod(0), 0, 0);
            queue.pop(0);
            queue.refuse(pod(0), &causes(&[rejector]), 0);
            wake(&mut queue, event, 100);
            assert_eq!(
                queue.pop(60_000).is_some(),
                expected == 'x',
                "{rejector:?} {event:?}"
            );
        }
    }
}

#[test]
fn without_an_event_a_pod_is_tried_after_five_minutes() {
    let mut queue = Queue::new(PATIENT);
    queue.push(pod(0), 0, 0);
    queue.pop(10_000);
    queue.refuse(pod(0), &causes(&[Rejector::NodeName]), 10_000);
    // 310 s is past; the check after it is at 330 s.
    assert_eq!(queue.next_ms(), Some(330_000));
    assert_eq!(queue.pop(329_999), None);
    assert_eq!(queue.pop(330_000), Some(pod(0)));
}

#[test]
fn an_idle_scheduler_does_not_wait_for_backoff_but_after_errors() {
    let mut queue = Queue::new(QueueSettings {
        try_backing_off_when_idle: true,
        ..PATIENT
    });
    queue.push(pod(0), 0, 0);
    queue.pop(0);
    queue.refuse(pod(0), &causes(&[Rejector::NodeName]), 0);
    assert_eq!(queue.pop(5), None, "parked");
    wake(&mut queue, ClusterEvent::NodeAdded(NodeIndex(0)), 5);
    queue.push(pod(1), 0, 5);
    assert_eq!(queue.pop(5), Some(pod(1)), "others go first");
    assert_eq!(queue.pop(5), Some(pod(0)));
    queue.fail(pod(0), 5);
    assert_eq!(queue.pop(1_999), None);
    assert_eq!(queue.next_ms(), Some(2_000));
    assert_eq!(queue.pop(2_000), Some(pod(0)));
    queue.fail(pod(0), 2_000);
    assert_eq!(queue.next_ms(), Some(5_000), "two errors in a row");
}

#[test]
fn the_first_refusal_by_the_extender_costs_a_second_attempt() {
    let mut queue = Queue::new(QueueSettings::default());
    queue.push(pod(0), 0, 0);
    queue.pop(0);
    let refused = causes(&[Rejector::Extender]);
    queue.refuse(pod(0), &refused, 0);
    assert_eq!(queue.pop(0), None);
    assert_eq!(queue.pop(10), Some(pod(0)), "woken by the note");
    queue.refuse(pod(0), &refused, 10);
    assert_eq!(queue.pop(200), None, "the message is the same");
    wake(&mut queue, ClusterEvent::NodeCordoned, 200);
    assert_eq!(queue.pop(200), Some(pod(0)));
    queue.refuse(pod(0), &causes(&[Rejector::Extender, Rejector::NodeName]), 200);
    assert_eq!(queue.pop(210), Some(pod(0)), "another message");
    queue.refuse(pod(0), &refused, 210);
    assert_eq!(queue.pop(1_000), None, "once, not without end");
}

#[test]
fn a_closer_look_lets_pods_sleep_and_a_pod_that_goes_is_gone() {
    let mut queue = Queue::new(PATIENT);
    for index in 0..3 {
        queue.push(pod(index), 0, 0);
        queue.pop(0);
        queue.refuse(pod(index), &causes(&[Rejector::InterPodAffinity]), 0);
    }
    queue.remove(pod(2));
    queue.wake(ClusterEvent::PodBound(pod(9)), 50_000, |candidate, _| {
        candidate != pod(0)
    });
    assert_eq!(queue.pop(50_000), Some(pod(1)));
    assert_eq!(queue.pop(50_000), None);
    assert_eq!(queue.len(), 2);
}
