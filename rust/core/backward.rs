//! The backward pass: one reverse sweep over what the root reaches.
//!
//! Nodes are visited in reverse of recording, each once, and only if gradients flow through them.
//! A node looks at its value and mode, then passes a contribution to each input, or silences it.
//! Every contribution goes through [`Adjoints::receive`], the one place that decides what is added
//! and what is left out.

use crate::error::Error;
use crate::graph::{Graph, Handle, Operands, flag, operands};
use crate::mode::{GradientMode, ModeState};
use crate::node_set::{NodeSet, for_each_descending};
use crate::ops::{Arity, Op};
use crate::scalar::TrScalar;
use crate::stats::Statistics;
use crate::status::Status;

/// The working columns of a pass. Between passes every adjoint is `−0` and every mark 0.
#[derive(Debug, Default)]
pub struct Scratch {
    /// `−0` is the neutral element of IEEE addition, so a sum begins with its first contribution.
    adjoints: Vec<f64>,
    marks: Vec<u8>,
    set: NodeSet,
    coordinates: Vec<Coordinate>,
}

/// Marks beside a node's adjoint; the low three bits are its [`Status`].
mod mark {
    /// Something was added to the adjoint.
    pub const RECEIVED: u8 = 8;
    /// The node leads to a source that was asked for.
    pub const ACTIVE: u8 = 16;
    /// The node is such a source.
    pub const SOURCE: u8 = 32;
}

/// The input that a node depends on, as far as exploration needs to know.
#[derive(Clone, Copy, Debug, Default)]
struct Coordinate {
    /// The value of the only input it depends on; NaN for none or several.
    value: f64,
    several: bool,
    /// Whether some input it depends on lies in an exploration region.
    explored: bool,
}

/// What a sweep counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PassCounts {
    /// Contributions that were not REAL and left out although ḡ was not 0.
    pub dropped: u64,
    /// Nodes that were silenced.
    pub masked: u64,
}

/// What a node does with its adjoint.
enum Rule {
    Silence,
    Classical,
    Bounded(f64),
}

/// A gradient mode as the sweep sees it: the rule for each node it visits.
trait Policy {
    fn rule(&mut self, node: u32, op: Op, a: f64, b: f64, z: f64) -> Rule;
}

struct MaskReal;
impl Policy for MaskReal {
    #[inline(always)]
    fn rule(&mut self, _: u32, _: Op, _: f64, _: f64, z: f64) -> Rule {
        if z.is_finite() { Rule::Classical } else { Rule::Silence }
    }
}

/// The Saturating rule: `Φ` has no direction, singular ops are bounded.
#[inline(always)]
fn saturating_rule(bound: f64, op: Op, a: f64, b: f64, z: f64) -> Rule {
    if z.is_nan() {
        Rule::Silence
    } else if op.pole(a, b).is_some() {
        Rule::Bounded(bound)
    } else {
        Rule::Classical
    }
}

struct Saturating {
    bound: f64,
}
impl Policy for Saturating {
    #[inline(always)]
    fn rule(&mut self, _: u32, op: Op, a: f64, b: f64, z: f64) -> Rule {
        saturating_rule(self.bound, op, a, b, z)
    }
}

struct Hybrid<'a> {
    state: &'a ModeState,
    statistics: &'a mut Statistics,
    /// Empty if the root depends on no input.
    coordinates: &'a [Coordinate],
}
impl Policy for Hybrid<'_> {
    #[inline(always)]
    fn rule(&mut self, node: u32, op: Op, a: f64, b: f64, z: f64) -> Rule {
        let saturate = match op.pole(a, b).filter(|operand| operand.is_finite()) {
            Some(operand) => {
                let at = self.coordinates.get(node as usize).copied().unwrap_or_default();
                let coordinate = (at.value.is_finite() && !at.several).then_some(at.value);
                self.statistics.decide(self.state, operand.abs(), coordinate, at.explored)
            }
            None => z.is_infinite() && op.pole(a, b).is_none() && self.state.delta().is_some(),
        };
        if saturate {
            saturating_rule(self.state.bound(), op, a, b, z)
        } else {
            MaskReal.rule(node, op, a, b, z)
        }
    }
}

/// The columns a node's contributions go to.
struct Adjoints<'a, const RESTRICTED: bool> {
    adjoints: &'a mut [f64],
    marks: &'a mut [u8],
    flags: &'a [u8],
    set: &'a mut NodeSet,
    counts: PassCounts,
}

impl<const RESTRICTED: bool> Adjoints<'_, RESTRICTED> {
    /// Whether gradients flow to this input in this pass.
    #[inline(always)]
    fn flows_to(&self, input: u32) -> bool {
        let i = input as usize;
        self.flags[i] & flag::NEEDS_GRAD != 0 && (!RESTRICTED || self.marks[i] & mark::ACTIVE != 0)
    }

    /// The adjoint product arrives: `contribution = ḡ·∂z/∂input` is added if it is REAL. If it is
    /// not, it is left out, and that is counted unless ḡ is 0.
    #[inline(always)]
    fn receive(&mut self, input: u32, contribution: f64, g: f64, status: u8) {
        if !self.flows_to(input) {
            return;
        }
        let i = input as usize;
        if contribution.is_finite() {
            self.adjoints[i] += contribution;
            self.marks[i] |= status | mark::RECEIVED;
        } else if g != 0.0 {
            self.counts.dropped += 1;
            self.marks[i] |= status | Status::DROPPED.bits();
        } else {
            self.marks[i] |= status;
        }
        self.set.insert(input);
    }

    /// The input is reached, and gets nothing.
    #[inline]
    fn silence(&mut self, input: u32, status: u8) {
        if self.flows_to(input) {
            self.marks[input as usize] |= status | Status::MASKED.bits();
            self.set.insert(input);
        }
    }
}

/// The sweep. `visit` sees each node reached, its adjoint and its status, in reverse of recording.
#[inline(always)]
fn sweep<P: Policy, const RESTRICTED: bool>(
    graph: &GraphColumns<'_>,
    to: &mut Adjoints<'_, RESTRICTED>,
    policy: &mut P,
    mut visit: impl FnMut(u32, Op, f64, Status),
) {
    for_each_descending!(to, set, |node| {
        let i = node as usize;
        let (marks, op, z, [a, b]) = (to.marks[i], graph.ops[i], graph.values[i], graph.links[i]);
        let g = if marks & mark::RECEIVED != 0 { to.adjoints[i] } else { 0.0 };
        to.adjoints[i] = -0.0;
        to.marks[i] = 0;
        let status = marks & 7;
        visit(node, op, g, Status::from_bits_truncate(status));

        let (inputs, x, y) = match op.arity() {
            Arity::Leaf => continue,
            Arity::Unary => (1, graph.values[a as usize], 0.0),
            Arity::Power => (1, graph.values[a as usize], f64::from(b as i32)),
            Arity::Binary => (2, graph.values[a as usize], graph.values[b as usize]),
            Arity::Variadic => {
                reduction(graph, to, policy, node, g, status);
                continue;
            }
        };
        let (contributions, status) = match policy.rule(node, op, x, y, z) {
            Rule::Classical => (op.classical(g, x, y, z), status),
            Rule::Bounded(bound) => {
                (op.bounded(g, x, y, z, bound), status | Status::SATURATED.bits())
            }
            Rule::Silence => {
                to.counts.masked += 1;
                [a, b][..inputs].iter().for_each(|&input| to.silence(input, status));
                continue;
            }
        };
        to.receive(a, contributions[0], g, status);
        if inputs == 2 {
            to.receive(b, contributions[1], g, status);
        }
    });
}

/// A sum passes ḡ to each input it kept, a mean ḡ/kept; the others are silenced.
#[inline(never)]
fn reduction<P: Policy, const RESTRICTED: bool>(
    graph: &GraphColumns<'_>,
    to: &mut Adjoints<'_, RESTRICTED>,
    policy: &mut P,
    node: u32,
    g: f64,
    status: u8,
) {
    let (op, z) = (graph.ops[node as usize], graph.values[node as usize]);
    let Operands::List(inputs, mode) = operands(graph.ops, graph.links, graph.lists, node) else {
        return;
    };
    if let Rule::Silence = policy.rule(node, op, 0.0, 0.0, z) {
        to.counts.masked += 1;
        inputs.iter().for_each(|&input| to.silence(input, status));
        return;
    }
    let keeps = |input: &u32| mode.keeps(graph.values[*input as usize]);
    let share = match op {
        Op::Mean => g / inputs.iter().filter(|i| keeps(i)).count() as f64,
        _ => g,
    };
    for input in inputs {
        if keeps(input) {
            to.receive(*input, share, g, status);
        } else {
            to.silence(*input, status);
        }
    }
}

/// The columns a sweep reads.
struct GraphColumns<'g> {
    values: &'g [f64],
    links: &'g [[u32; 2]],
    ops: &'g [Op],
    lists: &'g [u32],
}

impl Scratch {
    fn grow(&mut self, nodes: usize) {
        if self.adjoints.len() < nodes {
            let more = nodes.max(self.adjoints.len() * 3 / 2) - self.adjoints.len();
            self.adjoints.reserve_exact(more);
            self.marks.reserve_exact(more);
            self.adjoints.resize(nodes, -0.0);
            self.marks.resize(nodes, 0);
        }
        self.set.grow(nodes);
    }

    /// The nodes that gradients flow through below `root`, root first, in reverse of recording.
    fn reachable(&mut self, graph: &Graph, root: u32) -> Vec<u32> {
        let mut found = vec![];
        self.set.insert(root);
        for_each_descending!(self, set, |node| {
            found.push(node);
            for_each_operand(graph, node, |input| {
                if graph.flags[input as usize] & flag::NEEDS_GRAD != 0 {
                    self.set.insert(input);
                }
            });
        });
        found
    }

    /// Follows the inputs (coordinates) up through what the root reaches.
    fn trace_coordinates(&mut self, graph: &Graph, root: u32, state: &ModeState) {
        if graph.flags[root as usize] & flag::ON_INPUT == 0 {
            self.coordinates.clear();
            return;
        }
        let reached = self.reachable(graph, root);
        if self.coordinates.len() < graph.len() {
            self.coordinates.resize(graph.len(), Coordinate::default());
        }
        for &node in reached.iter().rev() {
            let i = node as usize;
            let mut here = Coordinate { value: f64::NAN, several: false, explored: false };
            if graph.ops[i] == Op::Input {
                here.value = graph.values[i];
                here.explored = state.explores(here.value);
            }
            for_each_operand(graph, node, |input| {
                let flags = graph.flags[input as usize];
                if flags & flag::ON_INPUT == 0 || flags & flag::NEEDS_GRAD == 0 {
                    return;
                }
                let below = self.coordinates[input as usize];
                let differ = !here.value.is_nan() && !below.value.is_nan() && here.value != below.value;
                here.several |= below.several || differ;
                here.explored |= below.explored;
                if here.value.is_nan() {
                    here.value = below.value;
                }
            });
            self.coordinates[i] = here;
        }
    }

    /// Marks the sources, and among what `root` reaches all that leads to one of them.
    fn activate(&mut self, graph: &Graph, root: u32, sources: &[u32]) -> Vec<u32> {
        let reached = self.reachable(graph, root);
        for &source in sources {
            self.marks[source as usize] |= mark::ACTIVE | mark::SOURCE;
        }
        for &node in reached.iter().rev() {
            let mut active = false;
            for_each_operand(graph, node, |input| {
                active |= self.marks[input as usize] & mark::ACTIVE != 0;
            });
            if active {
                self.marks[node as usize] |= mark::ACTIVE;
            }
        }
        reached
    }

    fn run<const RESTRICTED: bool>(
        &mut self,
        graph: &Graph,
        root: u32,
        seed: f64,
        state: &ModeState,
        statistics: &mut Statistics,
        visit: impl FnMut(u32, Op, f64, Status),
    ) {
        if state.mode == GradientMode::Hybrid {
            self.trace_coordinates(graph, root, state);
        }
        let columns = GraphColumns {
            values: &graph.values,
            links: &graph.links,
            ops: &graph.ops,
            lists: &graph.lists,
        };
        let mut to = Adjoints::<RESTRICTED> {
            adjoints: &mut self.adjoints,
            marks: &mut self.marks,
            flags: &graph.flags,
            set: &mut self.set,
            counts: PassCounts::default(),
        };
        // The seed is the root's first contribution, and is left out like any other if not REAL.
        to.receive(root, seed, seed, 0);
        match state.mode {
            GradientMode::MaskReal => sweep(&columns, &mut to, &mut MaskReal, visit),
            GradientMode::Saturating => {
                sweep(&columns, &mut to, &mut Saturating { bound: state.bound() }, visit);
            }
            GradientMode::Hybrid => {
                let coordinates = &self.coordinates;
                let mut policy = Hybrid { state, statistics, coordinates };
                sweep(&columns, &mut to, &mut policy, visit);
            }
        }
        statistics.add_pass(to.counts);
    }
}

fn for_each_operand(graph: &Graph, node: u32, mut visit: impl FnMut(u32)) {
    match operands(&graph.ops, &graph.links, &graph.lists, node) {
        Operands::Fixed(inputs, count) => inputs[..count].iter().for_each(|&i| visit(i)),
        Operands::List(inputs, _) => inputs.iter().for_each(|&i| visit(i)),
    }
}

impl Graph {
    /// Differentiates `root`. Adds to the gradients of the parameters and inputs it depends on, and
    /// shows the adjoints of this pass on the nodes between.
    ///
    /// `seed` is the root's adjoint; one that is not REAL is left out and counted as dropped.
    ///
    /// # Errors
    /// [`Error::NoParameter`] if no gradient can flow below `root`.
    pub fn backward(
        &mut self,
        root: Handle,
        seed: TrScalar,
        state: &ModeState,
        statistics: &mut Statistics,
        scratch: &mut Scratch,
    ) -> Result<(), Error> {
        if !self.requires_grad(root) {
            return Err(Error::NoParameter);
        }
        let root = self.node(root);
        scratch.grow(self.len());
        let mut gradients = std::mem::take(&mut self.gradients);
        gradients.grow(self.len());
        scratch.run::<false>(self, root, seed.to_ieee(), state, statistics, |node, op, g, status| {
            match op {
                Op::Constant => {} // a watched one
                Op::Parameter | Op::Input => gradients.accumulate(node, g, status),
                _ => gradients.set(node, g, status),
            }
        });
        self.gradients = gradients;
        Ok(())
    }

    /// The gradients of `root` with respect to `sources`, in their order: `None` for a source that
    /// no path leads to. Leaves every node's own gradient alone.
    pub fn gradients_of(
        &self,
        root: Handle,
        seed: TrScalar,
        sources: &[Handle],
        state: &ModeState,
        statistics: &mut Statistics,
        scratch: &mut Scratch,
    ) -> Vec<Option<(TrScalar, Status)>> {
        let (root, sources): (_, Vec<u32>) =
            (self.node(root), sources.iter().map(|&s| self.node(s)).collect());
        let mut found = vec![None; sources.len()];
        if self.flags[root as usize] & flag::NEEDS_GRAD == 0 {
            return found;
        }
        scratch.grow(self.len());
        let reached = scratch.activate(self, root, &sources);
        let mut places: Vec<(u32, usize)> = sources.iter().copied().zip(0..).collect();
        places.sort_unstable();
        scratch.run::<true>(self, root, seed.to_ieee(), state, statistics, |node, _, g, status| {
            let first = places.partition_point(|&(source, _)| source < node);
            for &(_, place) in places[first..].iter().take_while(|&&(source, _)| source == node) {
                found[place] = Some((TrScalar::from_ieee(g), status));
            }
        });
        for node in reached.into_iter().chain(sources) {
            scratch.marks[node as usize] = 0;
        }
        found
    }

    /// What a node passes to its inputs for the adjoint `g`, in operand order: the contribution
    /// and its status, `None` for an input that is silenced or whose contribution is left out.
    pub fn contributions(
        &self,
        handle: Handle,
        g: TrScalar,
        state: &ModeState,
    ) -> Vec<(Option<TrScalar>, Status)> {
        todo!("{handle:?} {g:?} {state:?}")
    }

    /// The nodes that gradients flow through below `root`, root first, in reverse of recording.
    pub fn topological_order(&mut self, root: Handle, scratch: &mut Scratch) -> Vec<Handle> {
        scratch.grow(self.len());
        let order = scratch.reachable(self, self.node(root));
        order.into_iter().map(|node| self.claim(node)).collect()
    }
}
