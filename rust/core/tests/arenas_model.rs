//! How the arenas of threads join, under a scheduler that goes through the orders in which threads can come
//! between each other. It also tells when they wait in a circle.

#[path = "../arenas.rs"]
#[expect(dead_code, reason = "what the model does not use")]
mod arenas;

/// What `arenas` locks with, here with a word for the scheduler.
mod sync {
    pub(crate) use shuttle::sync::{Arc, Mutex, MutexGuard, Weak};
    pub(crate) use std::sync::PoisonError;
}

use arenas::{Found, Joins, Place};
use shuttle::scheduler::{PctScheduler, RandomScheduler};
use shuttle::{Config, Runner, thread};
use sync::{Arc, Mutex, Weak};
use zeroproof::backward::Scratch;
use zeroproof::graph::{Graph, Handle, Moved};
use zeroproof::{Error, ModeState, Op};
use zeroproof::{error, graph};

#[derive(Default)]
struct Arena {
    graph: Graph,
    scratch: Scratch,
}

impl Joins for Arena {
    fn size(&self) -> usize {
        self.graph.len()
    }

    fn join(&mut self, other: &mut Self) -> Result<Moved, Error> {
        self.graph.join(&mut other.graph, 0)
    }

    fn release(&mut self, handle: Handle) {
        self.graph.release(handle);
    }
}

/// A node as a Python object holds it.
struct Node {
    place: Arc<Place<Arena>>,
    handle: Handle,
}

impl Drop for Node {
    fn drop(&mut self) {
        drop(self.place.release(self.handle));
    }
}

/// How many orders each model is tried in, by each of two schedulers.
const ORDERS: usize = 1000;

/// All places that were made, to see whether they end.
type Places = Arc<Mutex<Vec<Weak<Place<Arena>>>>>;

/// A thread's own place.
struct Own {
    place: Arc<Place<Arena>>,
    places: Places,
}

impl Own {
    fn new(places: &Places) -> Self {
        let mut all = places.lock().unwrap();
        let place = Place::new(Arena::default(), all.len() as u32);
        all.push(Arc::downgrade(&place));
        drop(all);
        Self { place, places: places.clone() }
    }

    fn leaf(&mut self, value: f64) -> Node {
        loop {
            if let Some(mut state) = self.place.open() {
                let handle = state.arena_mut().graph.leaf(Op::Parameter, value, None);
                state.give_out();
                return Node { place: self.place.clone(), handle };
            }
            *self = Self::new(&self.places);
        }
    }
}

/// Runs `f` on the arena in which nodes are together.
fn together<R>(nodes: &[&Node], mut f: impl FnMut(&Arc<Place<Arena>>, &mut Arena, &[Handle]) -> R) -> R {
    let shared: Vec<_> = nodes.iter().map(|node| (node.place.clone(), node.handle)).collect();
    loop {
        let (place, handles) = Place::meet(&shared).unwrap();
        if let Some(mut state) = place.open() {
            let result = f(&place, state.arena_mut(), &handles);
            drop(state);
            return result;
        }
    }
}

fn product(a: &Node, b: &Node) -> Node {
    let shared = [(a.place.clone(), a.handle), (b.place.clone(), b.handle)];
    loop {
        let (place, handles) = Place::meet(&shared).unwrap();
        if let Some(mut state) = place.open() {
            let handle = state.arena_mut().graph.binary(Op::Mul, handles[0], handles[1]);
            state.give_out();
            return Node { place: place.clone(), handle };
        }
    }
}

fn backward(node: &Node) {
    together(&[node], |_, Arena { graph, scratch }, handles| {
        graph.backward(handles[0], 1.0.into(), &ModeState::mask_real(), None, scratch).unwrap();
    });
}

fn gradient(node: &Node) -> f64 {
    node.place.with_home(node.handle, |arena, handle| {
        arena.graph.gradient(handle).expect("differentiated").0.to_ieee()
    })
}

fn identity(node: &Node) -> u64 {
    let (mut place, mut handle) = (node.place.clone(), node.handle);
    loop {
        let next = match place.find(handle) {
            Found::Here(state) => return state.identity(handle),
            Found::Elsewhere(next, there) => (next, there),
        };
        (place, handle) = next;
    }
}

/// Tries many orders, at random and such as few changes of threads make.
fn in_many_orders(model: impl Fn(&Places) + Send + Sync + 'static) {
    let model = Arc::new(model);
    let with_all_ended = move || {
        let places = Places::default();
        model(&places);
        let all = places.lock().unwrap();
        assert!(all.len() > 1);
        assert!(all.iter().all(|place| place.strong_count() == 0), "a place outlives its nodes");
    };
    let config = || {
        let mut config = Config::new();
        config.stack_size = 1 << 20; // an arena's passes take more than a scheduler expects
        config
    };
    Runner::new(RandomScheduler::new(ORDERS), config()).run(with_all_ended.clone());
    Runner::new(PctScheduler::new(3, ORDERS), config()).run(with_all_ended);
}

fn run(threads: impl IntoIterator<Item = Box<dyn FnOnce() + Send>>) {
    let running: Vec<_> = threads.into_iter().map(thread::spawn).collect();
    running.into_iter().for_each(|thread| thread.join().unwrap());
}

#[test]
fn one_weight_for_all_threads() {
    in_many_orders(|places| {
        let w = Arc::new(Own::new(places).leaf(2.0));
        run((1..4).map(|k| {
            let (w, places) = (w.clone(), places.clone());
            Box::new(move || {
                let mut own = Own::new(&places);
                let x = own.leaf(f64::from(k));
                let y = product(&w, &x);
                let z = product(&y, &own.leaf(10.0));
                backward(&z);
                assert_eq!(gradient(&x), 20.0);
            }) as Box<dyn FnOnce() + Send>
        }));
        assert_eq!(gradient(&w), 10.0 * (1.0 + 2.0 + 3.0));
    });
}

#[test]
fn neighbours_meet_in_a_circle() {
    in_many_orders(|places| {
        let leaves: Vec<_> = (1..4).map(|k| Own::new(places).leaf(f64::from(k))).collect();
        let before: Vec<_> = leaves.iter().map(identity).collect();
        let leaves = Arc::new(leaves);
        run((0..3).map(|k| {
            let leaves = leaves.clone();
            Box::new(move || backward(&product(&leaves[k], &leaves[(k + 1) % 3]))) as Box<dyn FnOnce() + Send>
        }));
        let gradients: Vec<_> = leaves.iter().map(gradient).collect();
        assert_eq!(gradients, [2.0 + 3.0, 1.0 + 3.0, 2.0 + 1.0]);
        assert_eq!(leaves.iter().map(identity).collect::<Vec<_>>(), before);
        let home = |node: &Node| Arc::as_ptr(&node.place.home(node.handle).0);
        assert!(leaves.iter().all(|leaf| home(leaf) == home(&leaves[0])));
    });
}

#[test]
fn nodes_are_dropped_while_their_arenas_join() {
    in_many_orders(|places| {
        let mut owns = [Own::new(places), Own::new(places)];
        let [a, b] = [owns[0].leaf(2.0), owns[1].leaf(3.0)];
        let [dropped_a, dropped_b] = [owns[0].leaf(5.0), owns[1].leaf(7.0)];
        let pair = Arc::new((a, b));
        let (met, dropped) = (pair.clone(), (dropped_a, dropped_b));
        run([
            Box::new(move || backward(&product(&met.0, &met.1))) as Box<dyn FnOnce() + Send>,
            Box::new(move || drop(dropped)),
            Box::new(move || {
                let [first, second] = &mut owns;
                let (x, y) = (first.leaf(1.0), second.leaf(1.0));
                backward(&product(&x, &y));
                assert_eq!((gradient(&x), gradient(&y)), (1.0, 1.0));
            }),
        ]);
        assert_eq!((gradient(&pair.0), gradient(&pair.1)), (3.0, 2.0));
        let alive = pair.0.place.with_home(pair.0.handle, |arena, _| {
            arena.graph.collect();
            arena.graph.len()
        });
        assert_eq!(alive, 2);
    });
}
