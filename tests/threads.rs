//! The threading model: a tape per thread, or one [`SharedTape`] whose variables go anywhere.

use std::collections::HashSet;
use std::sync::mpsc;
use std::sync::{Barrier, Mutex};
use std::thread;
use zeroproof::graph::Graph;
use zeroproof::{ModeState, Reduction, SharedTape, Statistics, Status, Tape, Var};

const THREADS: usize = 8;

type SharedVar<'t> = Var<'t, Mutex<Graph>>;

const fn goes_anywhere<T: Send + Sync>() {}
const _: () = goes_anywhere::<SharedVar<'static>>();
const _: () = goes_anywhere::<SharedTape>();
const fn may_move<T: Send>() {}
const _: () = may_move::<Tape>();

/// Fails to compile if a variable of an unshared tape is `Send`: then both impls would apply.
trait NotSend<Which> {
    const OK: () = ();
}
impl<T> NotSend<()> for T {}
struct IfSend;
impl<T: Send> NotSend<IfSend> for T {}
const _: () = <Var<'static> as NotSend<_>>::OK;

/// A program with poles, and what differentiating it gives: bits, status and counts.
fn measure<A: zeroproof::tape::Arena>(
    tape: &Tape<A>,
    k: usize,
    state: &ModeState,
) -> (u64, u64, Status, u64) {
    let x = tape.input(k as f64 * 0.125 - 0.5);
    let w = tape.parameter(1.5);
    let terms: Vec<_> = (0..40).map(|i| (&w * &x).sin() / (&x - f64::from(i) * 0.125)).collect();
    let y = tape.mean(&terms, Reduction::DropNonreal) + (&x * &x).log();
    let mut statistics = Statistics::new();
    y.backward_with(1.0, state, &mut statistics).unwrap();
    let gradient = |v: &Var<'_, A>| v.gradient().unwrap().to_ieee().to_bits();
    let summary = statistics.summary(state);
    (
        gradient(&x),
        gradient(&w),
        x.status() | w.status(),
        summary.saturating_activations + summary.masked_nodes,
    )
}

fn state_of(k: usize) -> ModeState {
    match k % 3 {
        0 => ModeState::mask_real(),
        1 => ModeState::saturating(0.25).unwrap(),
        _ => ModeState::hybrid(Some(0.2)).unwrap(),
    }
}

/// Runs `work` in every thread at once and returns what each got.
fn at_once<T: Send>(work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let start = Barrier::new(THREADS);
    thread::scope(|scope| {
        let spawn = |k| {
            let (work, start) = (&work, &start);
            scope.spawn(move || {
                start.wait();
                work(k)
            })
        };
        let running: Vec<_> = (0..THREADS).map(spawn).collect();
        running.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

#[test]
fn threads_in_different_modes_get_what_each_gets_alone() {
    let alone: Vec<_> = (0..THREADS).map(|k| measure(&Tape::new(), k, &state_of(k))).collect();
    let statuses: HashSet<_> = alone.iter().map(|&(_, _, status, _)| status).collect();
    assert!(statuses.len() >= 3, "the programs differ in what they meet: {statuses:?}");
    let shared = SharedTape::shared();
    let together = at_once(|k| {
        let first = measure(&shared, k, &state_of(k));
        for _ in 0..100 {
            assert_eq!(measure(&shared, k, &state_of(k)), first);
        }
        first
    });
    assert_eq!(together, alone);
    let own_tapes = at_once(|k| measure(&Tape::new(), k, &state_of(k)));
    assert_eq!(own_tapes, alone);
    assert_eq!(shared.live_nodes(), 0);
}

#[test]
fn variables_made_in_one_thread_are_used_and_dropped_in_others() {
    let tape = SharedTape::shared();
    let weight = tape.parameter(2.0);
    let (senders, receivers): (Vec<_>, Vec<_>) = (0..THREADS).map(|_| mpsc::channel::<SharedVar>()).unzip();
    let receivers: Vec<_> = receivers.into_iter().map(Mutex::new).collect();
    const ROUNDS: usize = 500;
    let sums = at_once(|k| {
        let next = senders[(k + 1) % THREADS].clone();
        let mine = receivers[k].lock().unwrap();
        let mut sum = 0.0;
        for round in 0..ROUNDS {
            next.send(&weight * tape.parameter((k * ROUNDS + round) as f64)).unwrap();
            let theirs = mine.recv().unwrap();
            let y = &theirs * 3.0;
            y.backward().unwrap();
            sum += theirs.value().to_ieee();
        }
        sum
    });
    for (k, sum) in sums.into_iter().enumerate() {
        let from = (k + THREADS - 1) % THREADS;
        let want: usize = (0..ROUNDS).map(|round| 2 * (from * ROUNDS + round)).sum();
        assert_eq!(sum, want as f64);
    }
    // Every product contributed 3·p once, whoever differentiated it.
    let all: usize = (0..THREADS * ROUNDS).sum();
    assert_eq!(weight.gradient().unwrap().to_ieee(), (3 * all) as f64);
    assert_eq!(tape.live_nodes(), 1);
}

#[test]
fn clones_and_drops_from_all_sides_keep_the_count() {
    let tape = SharedTape::shared();
    let x = tape.parameter(1.0);
    let chain = (0..1000).fold(x.clone(), |y, _| y * 1.0);
    at_once(|_| {
        for _ in 0..2000 {
            let copy = chain.clone();
            let further = &copy + &x;
            drop(copy);
            assert_eq!(further.value().to_ieee(), 2.0);
        }
    });
    assert_eq!(tape.live_nodes(), 2001);
    chain.backward().unwrap();
    assert_eq!((x.gradient().unwrap().to_ieee(), x.status()), (1.0, Status::EXACT));
    drop(chain);
    assert_eq!(tape.live_nodes(), 1);
}

#[test]
fn variables_of_different_tapes_refuse_to_meet() {
    let (tape, other) = (SharedTape::shared(), SharedTape::shared());
    let (x, stranger) = (tape.parameter(2.0), other.parameter(3.0));
    let met = thread::scope(|scope| scope.spawn(|| (&x * &stranger).value()).join());
    let message = *met.unwrap_err().downcast::<&str>().unwrap();
    assert!(message.contains("different tapes"), "{message}");
    (&x * &x).backward().unwrap();
    assert_eq!(x.gradient().unwrap().to_ieee(), 4.0);
}
