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
    assert_eq!(queue.remove(pod(2), 10), Some(1));
    assert_eq!(queue.remove(pod(2), 10), None);
}

/// `calculateBackoffDuration`: 1, 2, 4, 8, 10, 10 s; each up to the end of its second.
#[test]
fn backoff_doubles_to_ten_seconds() {
    let mut queue = Queue::new(PATIENT);
    queue.push(pod(0), 0, 0);
    let mut now_ms = 500;
    for backoff_ms in [1_000, 2_000, 4_000, 8_000, 10_000, 10_000] {
        assert_eq!(queue.pop(now_ms), Some(pod(0)));
        queue.refuse(pod(0), &causes(&[Rejector::NodeResourcesFit]), None, now_ms);
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
            queue.refuse(pod(0), &causes(&[rejector]), None, 0);
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
    queue.refuse(pod(0), &causes(&[Rejector::NodeName]), None, 10_000);
    // 310 s is past; the check after it is at 330 s.
    assert_eq!(queue.next_ms(), Some(330_000));
    assert_eq!(queue.pop(329_999), None);
    assert_eq!(queue.pop(330_000), Some(pod(0)));
}

#[test]
fn who_left_and_came_back_before_a_flush_is_tried_by_it_once() {
    let mut queue = Queue::new(PATIENT);
    queue.push(pod(0), 0, 0);
    for (tried_ms, backs_off_until_ms) in [(10_000, 12_000), (12_000, 15_000), (15_000, 20_000)] {
        assert_eq!(queue.pop(tried_ms), Some(pod(0)));
        queue.refuse(pod(0), &causes(&[Rejector::NodeResourcesFit]), None, tried_ms);
        assert_eq!(queue.next_ms(), Some(330_000));
        wake(&mut queue, ClusterEvent::PodGone(pod(9)), tried_ms);
        assert_eq!(queue.next_ms(), Some(backs_off_until_ms));
    }
    assert_eq!(queue.pop(20_000), Some(pod(0)));
    queue.refuse(pod(0), &causes(&[Rejector::NodeResourcesFit]), None, 20_000);
    assert_eq!(queue.pop(329_999), None);
    assert_eq!(queue.pop(330_000), Some(pod(0)));
    assert_eq!(queue.pop(330_000), None);
    assert_eq!(queue.next_ms(), None, "in flight");
}

#[test]
fn an_idle_scheduler_does_not_wait_for_backoff_but_after_errors() {
    let mut queue = Queue::new(QueueSettings {
        try_backing_off_when_idle: true,
        ..PATIENT
    });
    queue.push(pod(0), 0, 0);
    queue.pop(0);
    queue.refuse(pod(0), &causes(&[Rejector::NodeName]), None, 0);
    assert_eq!(queue.pop(5), None, "parked");
    wake(&mut queue, ClusterEvent::NodeAdded(NodeIndex(0)), 5);
    queue.push(pod(1), 0, 5);
    assert_eq!(queue.pop(5), Some(pod(1)), "others go first");
    assert_eq!(queue.pop(5), Some(pod(0)));
    queue.fail(pod(0), None, 5);
    assert_eq!(queue.pop(1_999), None);
    assert_eq!(queue.next_ms(), Some(2_000));
    assert_eq!(queue.pop(2_000), Some(pod(0)));
    queue.fail(pod(0), None, 2_000);
    assert_eq!(queue.next_ms(), Some(5_000), "two errors in a row");
}

#[test]
fn the_first_refusal_by_the_extender_costs_a_second_attempt() {
    let mut queue = Queue::new(QueueSettings::default());
    queue.push(pod(0), 0, 0);
    queue.pop(0);
    let refused = causes(&[Rejector::Extender]);
    queue.refuse(pod(0), &refused, None, 0);
    assert_eq!(queue.pop(0), None);
    assert_eq!(queue.pop(10), Some(pod(0)), "woken by the note");
    queue.refuse(pod(0), &refused, None, 10);
    assert_eq!(queue.pop(200), None, "the message is the same");
    wake(&mut queue, ClusterEvent::NodeCordoned, 200);
    assert_eq!(queue.pop(200), Some(pod(0)));
    queue.refuse(
        pod(0),
        &causes(&[Rejector::Extender, Rejector::NodeName]),
        None,
        200,
    );
    assert_eq!(queue.pop(210), Some(pod(0)), "another message");
    queue.refuse(pod(0), &refused, None, 210);
    assert_eq!(queue.pop(1_000), None, "once, not without end");
}

#[test]
fn a_closer_look_lets_pods_sleep_and_a_pod_that_goes_is_gone() {
    let mut queue = Queue::new(PATIENT);
    for index in 0..3 {
        queue.push(pod(index), 0, 0);
        queue.pop(0);
        queue.refuse(pod(index), &causes(&[Rejector::InterPodAffinity]), None, 0);
    }
    queue.remove(pod(2), 0);
    queue.wake(ClusterEvent::PodBound(pod(9)), 50_000, |candidate, _| {
        candidate != pod(0)
    });
    assert_eq!(queue.pop(50_000), Some(pod(1)));
    assert_eq!(queue.pop(50_000), None);
    assert_eq!(queue.len(), 2);
}

/// Pods that were refused alike, one after the other.
fn crowd(queue: &mut Queue, pods: u32, now_ms: u64) {
    for index in 0..pods {
        queue.push(pod(index), 0, now_ms);
        assert_eq!(queue.pop(now_ms), Some(pod(index)));
        queue.refuse(
            pod(index),
            &causes(&[Rejector::NodeResourcesFit]),
            Some(Alike(1)),
            now_ms,
        );
    }
}

#[test]
fn a_crowd_is_turned_away_together_and_each_pod_counts_it_when_it_leaves() {
    let mut queue = Queue::new(QueueSettings::default());
    crowd(&mut queue, 3, 0);
    assert!(queue.take_woken_crowds().is_empty(), "nothing happened");
    for now_ms in [10_000, 20_000] {
        wake(&mut queue, ClusterEvent::PodGone(pod(9)), now_ms);
        wake(&mut queue, ClusterEvent::PodGone(pod(8)), now_ms);
        assert_eq!(queue.pop(now_ms), None, "asked as a crowd, once for both events");
        let [(crowd, first)] = queue.take_woken_crowds()[..] else {
            panic!("one crowd")
        };
        assert_eq!((crowd.alike(), first), (Some(Alike(1)), pod(0)));
        assert_eq!(queue.refuse_crowd(crowd, now_ms), 3);
    }
    assert_eq!(queue.attempts(pod(1)), 3);
    assert_eq!(queue.remove(pod(1), 20_000), Some(3));
    assert_eq!(
        queue.next_ms(),
        Some(330_000),
        "five minutes after the last attempt"
    );
    assert_eq!(queue.pop(329_999), None);
    assert_eq!(queue.pop(330_000), Some(pod(0)));
    assert_eq!(queue.attempts(pod(0)), 4);
}

#[test]
fn a_crowd_that_disperses_is_tried_as_if_each_had_waited_alone() {
    let mut alone = Queue::new(QueueSettings::default());
    let mut together = Queue::new(QueueSettings::default());
    for (queue, alike) in [(&mut alone, None), (&mut together, Some(Alike(7)))] {
        for (index, at_ms) in [(0, 5), (1, 7), (2, 6)] {
            queue.push(pod(index), i32::from(index == 2), at_ms);
            queue.pop(at_ms);
            queue.refuse(pod(index), &causes(&[Rejector::NodeResourcesFit]), alike, at_ms);
        }
        wake(queue, ClusterEvent::PodGone(pod(9)), 2_500);
        for (crowd, _) in queue.take_woken_crowds() {
            queue.disperse(crowd, 2_500);
        }
    }
    let order = |queue: &mut Queue| -> Vec<_> { std::iter::from_fn(|| queue.pop(2_500)).collect() };
    assert_eq!(order(&mut together), order(&mut alone));
    assert_eq!(together.len(), 3);
}

#[test]
fn a_crowd_that_is_due_is_turned_away_as_if_each_of_its_pods_was() {
    let mut alone = Queue::new(QueueSettings::default());
    let mut together = Queue::new(QueueSettings::default());
    crowd(&mut alone, 3, 0);
    crowd(&mut together, 3, 0);
    let reasons = causes(&[Rejector::NodeResourcesFit]);
    for now_ms in [330_000, 660_000] {
        assert_eq!(alone.next_ms(), Some(now_ms));
        assert_eq!(together.next_ms(), Some(now_ms));
        while let Some(pod) = alone.pop(now_ms) {
            alone.refuse(pod, &reasons, Some(Alike(1)), now_ms);
        }
        assert!(together.due_crowds(now_ms - 1).is_empty());
        let [(crowd, first)] = together.due_crowds(now_ms)[..] else {
            panic!("one crowd")
        };
        assert_eq!(first, pod(0));
        assert_eq!(together.refuse_crowd(crowd, now_ms), 3);
        assert_eq!(together.pop(now_ms), None);
    }
    for index in 0..3 {
        assert_eq!(together.attempts(pod(index)), 3);
        assert_eq!(alone.attempts(pod(index)), 3);
    }
    together.push(pod(3), 0, 980_000);
    assert!(together.due_crowds(990_000).is_empty(), "they go by rank");
    let order: Vec<_> = std::iter::from_fn(|| together.pop(990_000)).collect();
    assert_eq!(order, [0, 1, 2, 3].map(pod));
}

#[test]
fn who_waits_for_backoff_waits_alone() {
    let mut queue = Queue::new(PATIENT);
    crowd(&mut queue, 2, 0);
    wake(&mut queue, ClusterEvent::PodGone(pod(9)), 10);
    assert!(queue.take_woken_crowds().is_empty());
    assert_eq!(queue.next_ms(), Some(2_000));
}

const COMES_AGAIN: Recurring = Recurring {
    alike: Alike(3),
    ends_ms: None,
};

#[test]
fn a_pod_that_is_stuck_was_tried_as_often_as_one_that_backs_off_by_itself() {
    // Tries a pod whenever it is due, before a time; tells when that was last.
    let fail_until = |queue: &mut Queue, recurring: Option<Recurring>, before_ms: u64| {
        queue.push(pod(0), 0, 0);
        let mut now_ms = 0;
        loop {
            while let Some(next) = queue.pop(now_ms) {
                queue.fail(next, recurring, now_ms);
            }
            match queue.next_ms().filter(|due_ms| *due_ms < before_ms) {
                Some(due_ms) => now_ms = due_ms,
                None => return now_ms,
            }
        }
    };
    // Tried at 0, 2, 5, 10, 19 and 30 s, and every 11 s from there.
    for (before_ms, attempts) in [(7_000, 3), (25_000, 5), (30_000, 5), (30_001, 6), (1_000_000, 94)] {
        let mut alone = Queue::new(QueueSettings::default());
        let mut stuck = Queue::new(QueueSettings::default());
        let last_ms = fail_until(&mut alone, None, before_ms);
        fail_until(&mut stuck, Some(COMES_AGAIN), before_ms);
        let is_stuck = !stuck.stuck_crowds().is_empty();
        assert_eq!(is_stuck, attempts > 4, "before {before_ms}");
        let last_of_stuck = stuck.run_out(before_ms - 1);
        assert_eq!(last_of_stuck, is_stuck.then_some(last_ms), "before {before_ms}");
        for queue in [&mut alone, &mut stuck] {
            assert_eq!(queue.attempts(pod(0)), attempts, "before {before_ms}");
        }
        assert_eq!(stuck.next_ms(), alone.next_ms(), "before {before_ms}");
    }
}

#[test]
fn a_pod_that_was_stuck_goes_on_where_it_would_be() {
    let mut queue = Queue::new(QueueSettings::default());
    queue.push(pod(0), 0, 0);
    for now_ms in [0, 2_000, 5_000, 10_000, 19_000] {
        assert_eq!(queue.pop(now_ms), Some(pod(0)));
        queue.fail(pod(0), Some(COMES_AGAIN), now_ms);
    }
    assert_eq!(queue.next_ms(), None);
    queue.release(Alike(3), 41_000);
    assert_eq!(queue.attempts(pod(0)), 6, "at 30 s, and not yet at 41 s");
    assert_eq!(queue.pop(41_000), Some(pod(0)));
    queue.fail(pod(0), Some(COMES_AGAIN), 41_000);
    assert_eq!(queue.remove(pod(0), 63_001), Some(9));
    assert!(queue.stuck_crowds().is_empty());
    assert_eq!(queue.next_ms(), None);
}

#[test]
fn an_error_that_may_end_is_looked_at_then() {
    let mut queue = Queue::new(QueueSettings::default());
    queue.push(pod(0), 0, 0);
    let ends = Recurring {
        ends_ms: Some(100_000),
        ..COMES_AGAIN
    };
    for now_ms in [0, 2_000, 5_000, 10_000, 19_000] {
        assert_eq!(queue.pop(now_ms), Some(pod(0)));
        queue.fail(pod(0), Some(ends), now_ms);
    }
    assert_eq!(queue.next_ms(), Some(100_000));
}

#[test]
fn what_is_written_on_a_pod_wakes_it_alone_and_only_whom_the_extender_turned_away() {
    let mut queue = Queue::new(QueueSettings {
        own_note_wakes: false,
        ..QueueSettings::default()
    });
    for (index, rejector) in [
        (0, Rejector::Extender),
        (1, Rejector::Extender),
        (2, Rejector::NodeName),
    ] {
        queue.push(pod(index), 0, 0);
        queue.pop(0);
        queue.refuse(pod(index), &causes(&[rejector]), Some(Alike(index.into())), 0);
    }
    queue.nudge(pod(0), 5_000);
    queue.nudge(pod(2), 5_000);
    assert_eq!(queue.pop(5_000), Some(pod(0)));
    assert_eq!(queue.pop(5_000), None);
}
