//! An allocator that refuses: whatever is asked of a graph then fails and changes nothing.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use zeroproof::backward::Scratch;
use zeroproof::graph::aliases::Side;
use zeroproof::graph::{Dependence, Graph, Handle};
use zeroproof::{Error, ModeState, Op, Region, Statistics, Status};

thread_local!(static GRANTED: Cell<usize> = const { Cell::new(usize::MAX) });

/// Smaller pieces are granted always.
const LARGE: usize = 4096;

/// Grants a thread so many large pieces, and then none.
struct Refusing;

// SAFETY: every call that is granted goes to the system allocator unchanged; counting touches a thread-local
// cell that needs neither memory nor a destructor.
unsafe impl GlobalAlloc for Refusing {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if layout.size() >= LARGE {
            match GRANTED.get() {
                0 => return std::ptr::null_mut(),
                usize::MAX => {}
                more => GRANTED.set(more - 1),
            }
        }
        // SAFETY: the caller's promise about `layout` is handed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        // SAFETY: `place` came from `alloc` above with this layout, so from the system allocator.
        unsafe { System.dealloc(place, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Refusing = Refusing;

/// A sum of choices between what `p` gives and what `q` gives, of which the latter is never chosen, and what
/// was computed from a gradient.
struct Bench {
    graph: Graph,
    scratch: Scratch,
    p: Handle,
    q: Handle,
    root: Handle,
    of_gradient: Handle,
}

const LENGTH: usize = 12_000;

impl Bench {
    fn new() -> Self {
        let mut graph = Graph::new();
        let (p, q) = (graph.leaf(Op::Input, 2.0, None), graph.leaf(Op::Parameter, 0.0, None));
        let gradient = graph.gradient_node(1.0.into(), Status::EXACT, Dependence::Bound);
        let (mut root, mut dead) = (p, q);
        let mut of_gradient = graph.binary(Op::Mul, gradient, p);
        for k in 0..LENGTH {
            dead = graph.unary(Op::Neg, dead);
            let chosen = graph.choose(Side::Node(root), Side::Node(dead)).expect("p may be asked");
            let term = if k % 256 == 0 { graph.unary(Op::Log, p) } else { p };
            root = graph.binary(Op::Add, chosen, term);
            of_gradient = graph.binary(Op::Add, of_gradient, chosen);
        }
        // A contribution that is not REAL, and a node that masks.
        let (pole, negative) = (graph.unary(Op::Sqrt, q), graph.unary(Op::Neg, p));
        let phi = graph.unary(Op::Log, negative);
        let silent = graph.reduce(Op::Sum, zeroproof::Reduction::DropNonreal, &[pole, phi]);
        root = graph.binary(Op::Add, root, silent);
        Self { graph, scratch: Scratch::default(), p, q, root, of_gradient }
    }
}

/// Asks again and again, each time with one large piece of memory more, until nothing is refused. Returns how
/// often it was, and the answer.
fn asked<R>(ask: impl Fn(&mut Bench) -> Result<R, Error>, unchanged: impl Fn(&Bench)) -> (usize, R) {
    for granted in 0.. {
        let mut bench = Bench::new();
        GRANTED.set(granted);
        let answer = ask(&mut bench);
        GRANTED.set(usize::MAX);
        match answer {
            Err(Error::OutOfMemory) => unchanged(&bench),
            Err(other) => panic!("{other}"),
            Ok(answer) => return (granted, answer),
        }
        // Nothing is left behind that the next one would stumble over.
        assert!(ask(&mut bench).is_ok());
    }
    unreachable!()
}

fn states() -> [ModeState; 3] {
    let mut explored = ModeState::hybrid(Some(0.5)).unwrap();
    explored.set_regions(&[Region { low: 0.0, high: 3.0 }]);
    [ModeState::mask_real(), ModeState::saturating(1.0).unwrap(), explored]
}

fn has_no_gradients(bench: &Bench) {
    assert_eq!([bench.p, bench.q, bench.root].map(|node| bench.graph.gradient(node)), [None; 3]);
}

#[test]
fn passes_begin_with_all_their_memory() {
    for state in states() {
        let pass = |bench: &mut Bench| {
            let mut statistics = Statistics::new();
            let Bench { graph, scratch, p, q, root, .. } = bench;
            let counts = graph.backward(*root, 1.0.into(), &state, Some(&mut statistics), scratch);
            if counts == Err(Error::OutOfMemory) {
                assert_eq!(statistics.summary(&state).total_gradient_calls, 0);
            }
            counts.map(|counts| (counts, [*p, *q].map(|leaf| graph.gradient(leaf))))
        };
        let (refusals, found) = asked(pass, has_no_gradients);
        assert!(refusals >= 2, "{refusals}");
        assert_eq!(found, pass(&mut Bench::new()).unwrap());
        assert!(found.1[1].is_some(), "what was not chosen has a gradient");

        let gradients = |bench: &mut Bench| {
            let mut statistics = Statistics::new();
            let Bench { graph, scratch, p, q, root, .. } = bench;
            let found =
                graph.gradients_of(*root, 1.0.into(), &[*q, *p], &state, Some(&mut statistics), scratch);
            if found == Err(Error::OutOfMemory) {
                assert_eq!(statistics.summary(&state).total_gradient_calls, 0);
            }
            found
        };
        let (refusals, asked) = asked(gradients, has_no_gradients);
        assert!(refusals >= 5, "{refusals}");
        assert_eq!((asked.1, [asked.0[1], asked.0[0]]), found);
    }
}

#[test]
fn questions() {
    let nothing = |_: &Bench| {};
    for state in states() {
        let explain = |bench: &mut Bench, wrt: fn(&Bench) -> Option<Handle>| {
            let wrt = wrt(bench);
            let Bench { graph, scratch, root, .. } = bench;
            let told = graph.try_explain(*root, wrt, &state, &Statistics::new(), scratch, 3)?;
            Ok((told.depends, told.counts))
        };
        let (refusals, told) = asked(|bench| explain(bench, |_| None), nothing);
        assert!(refusals >= 8 && told.0, "{refusals}");
        let (refusals, told) = asked(|bench| explain(bench, |bench| Some(bench.q)), nothing);
        assert!(refusals >= 8 && told.0, "{refusals}");
    }
    let depends = |bench: &mut Bench| {
        let Bench { graph, scratch, p, root, .. } = bench;
        graph.depends_on_others(*root, &[*p], scratch)
    };
    assert_eq!(asked(depends, nothing), (1, true));
    let order = |bench: &mut Bench| {
        bench.graph.try_topological_order(bench.root, &mut bench.scratch).map(|order| order.len())
    };
    let (refusals, nodes) = asked(order, nothing);
    assert!(refusals >= 3 && nodes > LENGTH, "{refusals}");
}

#[test]
fn a_derivative_of_a_gradient_is_refused_with_or_without_memory() {
    let second = |bench: &mut Bench, granted: usize| {
        let Bench { graph, scratch, q, of_gradient, .. } = bench;
        GRANTED.set(granted);
        let found =
            graph.gradients_of(*of_gradient, 1.0.into(), &[*q], &ModeState::mask_real(), None, scratch);
        GRANTED.set(usize::MAX);
        found.map(|found| found.1)
    };
    assert_eq!(second(&mut Bench::new(), 0), Err(Error::OutOfMemory));
    assert_eq!(second(&mut Bench::new(), 1), Err(Error::SecondDerivative));
}

type Record = fn(&mut Graph, Handle, Handle) -> Handle;

/// Records until a reservation is refused. Without one, recording would panic.
#[test]
fn what_was_reserved_takes_no_memory() {
    let kinds: [(usize, Record); 6] = [
        (2, |graph, p, q| graph.choose(Side::Node(p), Side::Node(q)).expect("p may be asked")),
        (2, |graph, _, q| graph.choose(Side::Value(1.0), Side::Node(q)).expect("q may be asked")),
        (2, |graph, p, _| graph.choose(Side::Node(p), Side::Value(1.0)).expect("p may be asked")),
        (1, |graph, p, _| graph.alias(p)),
        (0, |graph, _, _| graph.gradient_node(1.0.into(), Status::EXACT, Dependence::Bound)),
        (0, |graph, _, _| graph.gradient_node(1.0.into(), Status::MASKED, Dependence::None)),
    ];
    for (kind, (rows, record)) in kinds.into_iter().enumerate() {
        for granted in 0..8 {
            let mut bench = Bench::new();
            let Bench { graph, p, q, .. } = &mut bench;
            let (mut refused, mut kept, before) = (false, vec![], graph.len());
            kept.reserve(1 << 20);
            GRANTED.set(granted);
            while kept.len() < 1 << 20 && !refused {
                let reserved = if rows == 0 { graph.reserve_gradient() } else { graph.reserve(rows) };
                match reserved {
                    Ok(()) => kept.push(record(graph, *p, *q)),
                    Err(error) => {
                        assert_eq!(error, Error::OutOfMemory);
                        refused = true;
                    }
                }
            }
            GRANTED.set(usize::MAX);
            assert!(refused, "{kind}");
            assert!(graph.len() >= before + kept.len());
            kept.into_iter().for_each(|node| graph.release(node));
            let Bench { graph, scratch, root, .. } = &mut bench;
            graph.backward(*root, 1.0.into(), &ModeState::mask_real(), None, scratch).unwrap();
        }
    }
}
