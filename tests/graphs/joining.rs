//! Arenas that join: what comes of their nodes is what one arena makes of the same operations.

use zeroproof::backward::Scratch;
use zeroproof::graph::aliases::Side;
use zeroproof::graph::origins::Given;
use zeroproof::graph::{Dependence, Graph, Handle};
use zeroproof::{ModeState, Op, Reduction, Status};

/// A series of random numbers.
struct Series(u64);

impl Series {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % below
    }

    fn value(&mut self) -> f64 {
        [0.0, -0.0, 0.5, -1.5, 2.0, 3.25, 1e-3, f64::INFINITY][self.next(8)]
    }
}

/// An operation on nodes, by their places in a list.
#[derive(Clone, Debug)]
enum Step {
    Leaf(Op, f64),
    Unary(Op, usize),
    Power(usize, i32),
    Binary(Op, usize, usize),
    Number(Op, usize, f64),
    Sum(Reduction, Vec<usize>),
    Choice(usize, usize),
    Alias(usize),
    Assign(usize, f64),
    Watch(usize),
    Gradients(usize, Vec<usize>),
    GradientNode(f64),
    Backward(usize),
    Release(usize),
    Collect,
}

fn step(series: &mut Series, nodes: &[usize]) -> Step {
    let any = |series: &mut Series| nodes[series.next(nodes.len())];
    let unary = [Op::Neg, Op::Sin, Op::Exp, Op::Tanh, Op::Log, Op::Sqrt, Op::Abs];
    let binary = [Op::Add, Op::Sub, Op::Mul, Op::Div, Op::Minimum];
    if nodes.is_empty() {
        return Step::Leaf(Op::Parameter, series.value());
    }
    match series.next(20) {
        0 | 1 => Step::Leaf([Op::Parameter, Op::Input, Op::Constant][series.next(3)], series.value()),
        2..=4 => Step::Unary(unary[series.next(unary.len())], any(series)),
        5 => Step::Power(any(series), series.next(5) as i32 - 2),
        6..=9 => Step::Binary(binary[series.next(binary.len())], any(series), any(series)),
        10 => Step::Number(binary[series.next(binary.len())], any(series), series.value()),
        11 => {
            let count = series.next(4) + 1;
            Step::Sum(Reduction::ALL[series.next(3)], (0..count).map(|_| any(series)).collect())
        }
        12 => Step::Choice(any(series), any(series)),
        13 => Step::Alias(any(series)),
        14 => Step::Assign(any(series), series.value()),
        15 => Step::Watch(any(series)),
        16 => Step::Gradients(any(series), (0..2).map(|_| any(series)).collect()),
        17 => Step::Backward(any(series)),
        18 if series.next(2) == 0 => Step::GradientNode(series.value()),
        18 => Step::Collect,
        _ => Step::Release(any(series)),
    }
}

/// An arena, with its nodes in a list in which others have their places too.
#[derive(Default)]
struct Nodes {
    graph: Graph,
    scratch: Scratch,
    nodes: Vec<Option<Handle>>,
}

impl Nodes {
    fn at(&self, place: usize) -> Handle {
        self.nodes[place].expect("not released")
    }

    fn put(&mut self, place: usize, node: Handle) {
        if self.nodes.len() <= place {
            self.nodes.resize(place + 1, None);
        }
        self.nodes[place] = Some(node);
    }

    /// Notes where a new node came from, as the bindings do.
    fn note(&mut self, node: Handle, op: Op, operands: &[usize]) {
        let graph = &mut self.graph;
        if graph.value(node).is_real() {
            return;
        }
        let given = operands.iter().map(|&place| {
            let node = self.nodes[place].expect("not released");
            Given { value: graph.value(node).to_ieee(), node: Some(node) }
        });
        let given: Vec<_> = given.collect();
        if graph.begins(node, &given) {
            graph.note_origin(node, op, &given, operands.len() as u32 + 10);
        }
    }

    /// Does a step. The nodes it makes come to the places from `next` on; returns how many may have been made.
    fn run(&mut self, step: &Step, next: usize) -> usize {
        let state = ModeState::mask_real();
        match step {
            Step::Leaf(op, value) => {
                let leaf = self.graph.leaf(*op, *value, (*op == Op::Parameter).then_some("w"));
                self.note(leaf, *op, &[]);
                self.put(next, leaf);
            }
            Step::Unary(op, a) => {
                let node = self.graph.unary(*op, self.at(*a));
                self.note(node, *op, &[*a]);
                self.put(next, node);
            }
            Step::Power(a, n) => {
                let node = self.graph.pow_int(self.at(*a), *n);
                self.put(next, node);
            }
            Step::Binary(op, a, b) => {
                let node = self.graph.binary(*op, self.at(*a), self.at(*b));
                self.note(node, *op, &[*a, *b]);
                self.put(next, node);
            }
            Step::Number(op, a, value) => {
                let node = self.graph.binary_with_constant(*op, self.at(*a), *value, None);
                self.put(next, node.handle);
            }
            Step::Sum(mode, all) => {
                let all: Vec<_> = all.iter().map(|&place| self.at(place)).collect();
                let node = self.graph.reduce(Op::Sum, *mode, &all);
                self.put(next, node);
            }
            Step::Choice(a, b) => {
                let (a, b) = (self.at(*a), self.at(*b));
                match self.graph.choose(Side::Node(a), Side::Node(b)) {
                    Some(node) => self.put(next, node),
                    None => {
                        self.graph.retain(a);
                        self.put(next, a);
                    }
                }
            }
            Step::Alias(a) => {
                let node = self.graph.alias(self.at(*a));
                self.put(next, node);
            }
            Step::Assign(a, value) => {
                let _ = self.graph.assign(self.at(*a), *value);
                return 0;
            }
            Step::Watch(a) => {
                self.graph.watch(self.at(*a));
                return 0;
            }
            Step::Gradients(root, sources) => {
                let sources: Vec<_> = sources.iter().map(|&place| self.at(place)).collect();
                let root = self.at(*root);
                let (graph, scratch) = (&mut self.graph, &mut self.scratch);
                let one = 1.0.into();
                let Ok((found, _)) = graph.gradients_of(root, one, &sources, &state, None, scratch) else {
                    return sources.len();
                };
                let recorded = graph.record_gradients(root, one, &sources, &found, (&state, false), scratch);
                for (place, node) in recorded.unwrap_or_default().into_iter().enumerate() {
                    if let Some(node) = node {
                        self.put(next + place, node);
                    }
                }
                return sources.len();
            }
            Step::GradientNode(value) => {
                let node = self.graph.gradient_node((*value).into(), Status::MASKED, Dependence::Loose);
                self.put(next, node);
            }
            Step::Backward(root) => {
                let root = self.at(*root);
                let _ = self.graph.backward(root, 1.0.into(), &state, None, &mut self.scratch);
                return 0;
            }
            Step::Release(a) => {
                let node = self.nodes[*a].take().expect("not released");
                self.graph.release(node);
                return 0;
            }
            Step::Collect => {
                self.graph.collect();
                return 0;
            }
        }
        1
    }

    fn held(&self) -> Vec<usize> {
        self.nodes.iter().enumerate().filter_map(|(place, node)| node.map(|_| place)).collect()
    }

    /// All that can be seen of a node.
    fn seen(&mut self, place: usize) -> String {
        let node = self.at(place);
        let graph = &mut self.graph;
        let inputs = graph.inputs(node);
        let ops: Vec<_> = inputs.iter().map(|&input| (graph.op(input), graph.value(input))).collect();
        inputs.into_iter().for_each(|input| graph.release(input));
        let gradient = graph.gradient(node).map(|(value, status)| (value.to_ieee().to_bits(), status));
        format!(
            "{place}: {:?} {:x} {gradient:?} {:?} {:?} {} {} {} {ops:?} {:?}",
            graph.op(node),
            graph.value(node).to_ieee().to_bits(),
            graph.status(node),
            graph.name(node),
            graph.requires_grad(node),
            graph.is_gradient(node),
            graph.must_stay_node(node),
            graph.origin(node),
        )
    }
}

/// Two arenas that join after some steps, and one that does all the steps.
fn compare(seed: u64) {
    let mut series = Series(seed);
    let (mut apart, mut one) = ([Nodes::default(), Nodes::default()], Nodes::default());
    let mut next = 0;
    for _ in 0..series.next(80) {
        let side = series.next(2);
        let step = step(&mut series, &apart[side].held());
        apart[side].run(&step, next);
        next += one.run(&step, next);
    }
    let [mut stays, mut goes] = apart;
    if series.next(2) == 0 {
        std::mem::swap(&mut stays, &mut goes);
    }
    let moved = stays.graph.join(&mut goes.graph, 0).unwrap();
    assert!(goes.graph.is_empty());
    assert_eq!(moved.pairs().count(), {
        let distinct: std::collections::HashSet<_> = goes.nodes.iter().flatten().collect();
        distinct.len()
    });
    for place in goes.held() {
        let node = moved.handle(goes.at(place));
        stays.put(place, node);
    }
    assert_eq!(stays.held(), one.held(), "seed {seed}");
    let same = |stays: &mut Nodes, one: &mut Nodes, when: &str| {
        for place in one.held() {
            assert_eq!(stays.seen(place), one.seen(place), "seed {seed}, {when}");
        }
    };
    same(&mut stays, &mut one, "joined");
    for _ in 0..series.next(80) {
        let step = step(&mut series, &one.held());
        stays.run(&step, next);
        let more = one.run(&step, next);
        if matches!(step, Step::Gradients(..)) && stays.held() != one.held() {
            // One of them was refused since the root was computed from a gradient that is newer than a source
            // of the other arena. It does not depend on that, but only the order of rows is known.
            for nodes in [&mut stays, &mut one] {
                let made = nodes.held().into_iter().filter(|place| *place >= next);
                made.collect::<Vec<_>>().into_iter().for_each(|place| {
                    nodes.run(&Step::Release(place), 0);
                });
            }
        }
        next += more;
        assert_eq!(stays.held(), one.held(), "seed {seed}, {step:?}");
    }
    for place in one.held() {
        let step = Step::Backward(place);
        stays.run(&step, next);
        one.run(&step, next);
    }
    same(&mut stays, &mut one, "differentiated");
    for place in one.held() {
        stays.run(&Step::Release(place), next);
    }
    assert!(stays.graph.is_empty(), "seed {seed}");
    // The one that was left behind serves again.
    let leaf = goes.graph.leaf(Op::Parameter, 2.0, None);
    let square = goes.graph.binary(Op::Mul, leaf, leaf);
    goes.graph.backward(square, 1.0.into(), &ModeState::mask_real(), None, &mut goes.scratch).unwrap();
    assert_eq!(goes.graph.gradient(leaf).map(|(gradient, _)| gradient.to_ieee()), Some(4.0));
}

#[test]
fn joined_arenas_do_what_one_does() {
    (0..1500).for_each(compare);
}

#[test]
fn handle_slots_are_used_again() {
    let mut large = Graph::new();
    let w = large.leaf(Op::Parameter, 1.0, None);
    let mut small = Graph::new();
    for k in 0..20_000 {
        let x = small.leaf(Op::Input, f64::from(k), None);
        let x = large.join(&mut small, 0).unwrap().handle(x);
        let y = large.binary(Op::Mul, w, x);
        large.release(y);
        large.release(x);
    }
    assert_eq!(large.len(), 1);
    assert!(large.allocated_bytes() < 100_000, "{}", large.allocated_bytes());
}

#[test]
fn what_was_there_before_a_call_is_older_wherever_it_was() {
    // A function is called at time 1 with `x`; `w` is another arena's, and `z` is made inside.
    for w_first in [false, true] {
        let (mut graph, mut others) = (Graph::new(), Graph::new());
        let x = graph.leaf(Op::Parameter, 1.0, None);
        let w = others.leaf(Op::Parameter, 2.0, None);
        let mut scratch = Scratch::default();
        let (x, w) = if w_first {
            let moved = others.join(&mut graph, 1).unwrap();
            std::mem::swap(&mut graph, &mut others);
            (moved.handle(x), w)
        } else {
            let moved = graph.join(&mut others, 1).unwrap();
            (x, moved.handle(w))
        };
        let mut inside = Graph::made_at_time(1);
        let z = inside.leaf(Op::Parameter, 3.0, None);
        let z = graph.join(&mut inside, 1).unwrap().handle(z);
        let later = graph.leaf(Op::Parameter, 4.0, None);
        let mut older = |node| graph.depends_on_older_than(node, Some(x), 1, &mut scratch).unwrap();
        assert_eq!([x, w, z, later].map(&mut older), [true, true, false, false], "{w_first}");
        let all = [x, w, z, later];
        graph.collect();
        let mut older = |node| graph.depends_on_older_than(node, Some(x), 1, &mut scratch).unwrap();
        assert_eq!(all.map(&mut older), [true, true, false, false], "{w_first}, collected");
        // What is recorded where the last rows were cut off is new.
        graph.release(later);
        graph.release(z);
        let anew = graph.leaf(Op::Parameter, 5.0, None);
        assert!(!graph.depends_on_older_than(anew, Some(x), 1, &mut scratch).unwrap());
        let strangers = graph.depends_on_older_than(anew, None, 2, &mut scratch).unwrap();
        assert!(strangers, "of unknown order is older");
    }
}
