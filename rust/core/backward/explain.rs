//! Why a value is not REAL, and what became of a gradient on its way.
//!
//! A question is answered by a backward pass that changes nothing and counts nothing, after which every
//! node that it reached is asked by the same rules what it did. Among nodes that are not REAL, one
//! whose operands all are is a birth.

use super::policies::{Coordinate, Decide, Hybrid, MaskReal, Policy, Rule, Saturating};
use super::{Scratch, run_pass};
use crate::adjoints::{ACTIVE, PRESENT, RECEIVED};
use crate::graph::births::MOST_OPERANDS;
use crate::graph::{Graph, Handle, Node, Operands, flag};
use crate::mode::{GradientMode, ModeState};
use crate::ops::{Arity, Op};
use crate::scalar::TrScalar;
use crate::stats::Statistics;

/// The most nodes of a path, and the most leaves, that an event names.
pub const MOST_NAMED: usize = 32;

/// What happened at a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// A value that is not REAL was made from REAL ones, Φ from infinities, or came in from outside.
    Born,
    /// The node passed nothing to its inputs, although an adjoint arrived.
    Masked,
    /// The contribution to an input was not REAL and was left out.
    Dropped,
    /// The node passed on bounded contributions.
    Saturated,
}

impl What {
    /// Every kind, in the order of [`Explanation::counts`].
    pub const ALL: [Self; 4] = [Self::Born, Self::Masked, Self::Dropped, Self::Saturated];

    /// The name, in lower case.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Born => "born",
            Self::Masked => "masked",
            Self::Dropped => "dropped",
            Self::Saturated => "saturated",
        }
    }
}

/// Something that happened at a node. Its handles belong to whoever gets it.
#[derive(Debug)]
pub struct Event {
    /// What happened.
    pub what: What,
    /// Where.
    pub node: Handle,
    /// The op that the node stands for: of a constant that was computed, what computed it.
    pub op: Op,
    /// The values of the first operands; behind the base of a power its exponent.
    pub operands: Vec<f64>,
    /// What that made.
    pub value: f64,
    /// Whether the constant was computed from what that made.
    pub carried: bool,
    /// The place that was noted for the node.
    pub place: Option<u32>,
    /// Which input lost its contribution, where it was not all of them.
    pub input: Option<u32>,
    /// The nodes that lead from there to the node explained, which is the last one, if they are not
    /// too many.
    pub path: Vec<Handle>,
    /// How long the path is.
    pub steps: usize,
    /// The parameters and inputs whose gradients are concerned.
    pub leaves: Vec<Handle>,
}

/// A contribution that a pass leaves out.
#[derive(Clone, Debug)]
pub struct LeftOut {
    /// The op of the node that made it.
    pub op: Op,
    /// The values of the first operands; behind the base of a power its exponent.
    pub operands: Vec<f64>,
    /// The value of the node.
    pub value: f64,
    /// The place that was noted for the node.
    pub place: Option<u32>,
    /// Which input lacks it.
    pub input: Option<u32>,
}

/// The answer to "why is this value not REAL, or this gradient zero or bounded?"
#[derive(Debug)]
pub struct Explanation {
    /// The node whose backward pass the gradients' part is about; `None` without one.
    pub root: Option<Handle>,
    /// The mode of that pass.
    pub mode: GradientMode,
    /// What happened: births in recording order, everything else from the root on down.
    pub events: Vec<Event>,
    /// How much of each kind happened, also beyond what `events` holds.
    pub counts: [usize; 4],
}

/// Decides as the statistics would, and counts nothing.
struct Unasked<'a>(&'a Statistics);

impl Decide for Unasked<'_> {
    fn decide(&mut self, _: usize, state: &ModeState, d: f64, at: Coordinate) -> bool {
        self.0.would_saturate(state, d, at.explored)
    }
}

/// An event before it is given handles.
struct Found {
    what: What,
    node: u32,
    input: Option<u32>,
}

/// Which node led to which: by node the user through which it was found.
struct Users(Vec<u32>);

const NOBODY: u32 = u32::MAX;

impl Users {
    fn of(nodes: usize) -> Self {
        Self(vec![NOBODY; nodes])
    }

    fn note(&mut self, node: u32, user: u32) {
        let slot = &mut self.0[node as usize];
        if *slot == NOBODY {
            *slot = user;
        }
    }

    fn get(&self, node: u32) -> Option<u32> {
        Some(self.0[node as usize]).filter(|&user| user != NOBODY)
    }
}

/// A pass under examination.
struct Pass<'a> {
    graph: &'a Graph,
    state: &'a ModeState,
    statistics: &'a Statistics,
    found: Vec<Found>,
    users: Users,
    /// Silenced nodes at which an adjoint arrived.
    silenced: Vec<u32>,
}

impl Graph {
    /// Explains the value of a node and the gradients of a backward pass from it: those of all
    /// parameters and inputs below, or of `wrt` alone. Of a parameter or input by itself, explains its
    /// gradient in the last backward pass, whose root must still be there.
    ///
    /// Nothing changes. At most `limit` events of each kind are told in full.
    pub fn explain(
        &mut self,
        target: Handle,
        wrt: Option<Handle>,
        state: &ModeState,
        statistics: &Statistics,
        scratch: &mut Scratch,
        limit: usize,
    ) -> Explanation {
        let node = self.node(target);
        let (root, source, state) = match (wrt, self.nodes[node as usize].has_leaf()) {
            (Some(source), _) => (Some(node), Some(self.node(source)), state.clone()),
            (None, false) => (self.nodes[node as usize].needs_grad().then_some(node), None, state.clone()),
            (None, true) => match self.last_pass() {
                Some((root, state)) => (Some(root), Some(node), state),
                None => (None, None, state.clone()),
            },
        };
        let mut pass = Pass::of(self, &state, statistics);
        if let Some(root) = root {
            pass.follow_gradients(scratch, root, 1.0.into(), source.as_ref().map(std::slice::from_ref));
        }
        let (births, carriers) = pass.find_births(scratch, node);
        let Pass { found, users, .. } = pass;
        let mut explanation = Explanation {
            root: root.map(|root| self.claim(root)),
            mode: state.mode,
            events: vec![],
            counts: [0; 4],
        };
        let births = births.into_iter().rev().map(|node| Found { what: What::Born, node, input: None });
        for found in births.chain(found) {
            let count = &mut explanation.counts[found.what as usize];
            *count += 1;
            if *count <= limit {
                let event = self.event(found, &users, &carriers, source, scratch);
                explanation.events.push(event);
            }
        }
        explanation
    }

    /// What happened, with handles.
    fn event(
        &mut self,
        found: Found,
        users: &Users,
        carriers: &Users,
        source: Option<u32>,
        scratch: &mut Scratch,
    ) -> Event {
        let Found { what, node, input } = found;
        let row = self.nodes[node as usize];
        let handle = self.claim(node);
        let noted = self.birth(handle).cloned();
        let operands = self.operand_values(node);
        let (mut path, mut steps, mut at) = (vec![], 0, node);
        while let Some(user) = carriers.get(at).or_else(|| users.get(at)) {
            if steps < MOST_NAMED {
                path.push(self.claim(user));
            }
            (steps, at) = (steps + 1, user);
        }
        let leaves = match (what, source, input) {
            (What::Born, ..) => vec![],
            (_, Some(source), _) => vec![self.claim(source)],
            (_, None, input) => self.leaves_below(node, input, scratch),
        };
        let computed = noted.as_ref().filter(|_| row.op == Op::Constant);
        Event {
            what,
            node: handle,
            op: computed.map_or(row.op, |birth| birth.op),
            operands: computed.map_or(operands, |birth| birth.operands.to_vec()),
            value: computed.map_or(row.value, |birth| birth.value),
            carried: computed.is_some_and(|birth| birth.carried),
            place: noted.map(|birth| birth.place),
            input,
            path,
            steps,
            leaves,
        }
    }

    /// The contributions that a pass from `root` leaves out since they are not REAL: one to all leaves,
    /// or to these nodes alone. The nearest to the root come first. Nothing changes.
    pub fn left_out(
        &self,
        root: Handle,
        seed: TrScalar,
        sources: Option<&[Handle]>,
        state: &ModeState,
        statistics: &Statistics,
        scratch: &mut Scratch,
    ) -> Vec<LeftOut> {
        let sources: Option<Vec<_>> = sources.map(|all| all.iter().map(|&node| self.node(node)).collect());
        let mut pass = Pass::of(self, state, statistics);
        pass.follow_gradients(scratch, self.node(root), seed, sources.as_deref());
        let dropped = pass.found.into_iter().filter(|found| found.what == What::Dropped);
        let told = dropped.map(|Found { node, input, .. }| LeftOut {
            op: self.nodes[node as usize].op,
            operands: self.operand_values(node),
            value: self.nodes[node as usize].value,
            place: self.birth_of(node).map(|birth| birth.place),
            input,
        });
        told.collect()
    }

    /// The values of a node's first operands; behind the base of a power its exponent.
    fn operand_values(&self, node: u32) -> Vec<f64> {
        let row = self.nodes[node as usize];
        let mut values = vec![];
        row.operands(&self.lists).for_each(|operand| {
            if values.len() < MOST_OPERANDS {
                values.push(self.nodes[operand as usize].value);
            }
        });
        if row.op == Op::PowInt {
            values.push(f64::from(row.links[1] as i32));
        }
        values
    }

    /// The first parameters and inputs below a node, or below one of its inputs, in recording order.
    fn leaves_below(&mut self, node: u32, input: Option<u32>, scratch: &mut Scratch) -> Vec<Handle> {
        let mut below = node;
        if let Some(input) = input {
            let mut place = 0;
            self.nodes[node as usize].operands(&self.lists).for_each(|operand| {
                if place == input {
                    below = operand;
                }
                place += 1;
            });
        }
        let reached = scratch.reachable(self, below);
        let leaves = reached.into_iter().rev().filter(|&node| self.nodes[node as usize].has_leaf());
        leaves.take(MOST_NAMED).collect::<Vec<_>>().into_iter().map(|leaf| self.claim(leaf)).collect()
    }
}

impl<'a> Pass<'a> {
    fn of(graph: &'a Graph, state: &'a ModeState, statistics: &'a Statistics) -> Self {
        let users = Users::of(graph.len());
        Self { graph, state, statistics, found: vec![], users, silenced: vec![] }
    }

    /// Runs the pass, to all leaves or to some nodes, and asks each node that it reached.
    fn follow_gradients(
        &mut self,
        scratch: &mut Scratch,
        root: u32,
        seed: TrScalar,
        sources: Option<&[u32]>,
    ) {
        let (graph, state) = (self.graph, self.state);
        scratch.set.grow(graph.len());
        scratch.adjoints.grow(graph.len());
        let mut active = match sources {
            Some(sources) => scratch.activate(graph, root, sources),
            None => scratch.reachable(graph, root),
        };
        if sources.is_none() {
            active.iter().for_each(|&node| scratch.adjoints.rows[node as usize].mark |= ACTIVE);
        }
        active.sort_unstable_by(|a, b| b.cmp(a));
        if scratch.adjoints.rows[root as usize].mark & ACTIVE != 0 {
            let mut adjoints = std::mem::take(&mut scratch.adjoints);
            let mut statistics = self.statistics.clone();
            let counting = Some(&mut statistics);
            run_pass::<true>(graph, &mut adjoints, scratch, root, seed, state, counting, |_, _, _| ());
            scratch.adjoints = adjoints;
            let on_input = graph.nodes[root as usize].flags & flag::ON_INPUT != 0;
            let coordinates = std::mem::take(&mut scratch.coordinates);
            let known = if on_input { &coordinates[..] } else { &[] };
            let mut decisions = Unasked(self.statistics);
            let mut hybrid = Hybrid { state, decisions: &mut decisions, coordinates: known };
            let mut saturating = Saturating { bound: state.bound() };
            let policy: &mut dyn Policy = match state.mode {
                GradientMode::MaskReal => &mut MaskReal,
                GradientMode::Saturating => &mut saturating,
                GradientMode::Hybrid => &mut hybrid,
            };
            for &node in &active {
                self.ask(scratch, node, policy);
            }
            scratch.coordinates = coordinates;
        }
        active.iter().for_each(|&node| scratch.adjoints.rows[node as usize].mark = 0);
    }

    /// What a node did with its adjoint.
    fn ask(&mut self, scratch: &Scratch, node: u32, policy: &mut dyn Policy) {
        let graph = self.graph;
        let adjoint = scratch.adjoints.rows[node as usize];
        let row = graph.nodes[node as usize];
        if adjoint.mark & PRESENT == 0 || row.op.arity() == Arity::Leaf {
            return;
        }
        let flows = |input: u32| scratch.adjoints.rows[input as usize].mark & ACTIVE != 0;
        row.operands(&graph.lists).for_each(|input| {
            if flows(input) {
                self.users.note(input, node);
            }
        });
        if adjoint.mark & RECEIVED == 0 {
            return; // what came here was silenced or left out before
        }
        let g = adjoint.value;
        let [x, y] = both_operands(graph, &row);
        let mut note = |what, input| self.found.push(Found { what, node, input });
        let contributions = match policy.rule(node as usize, row.op, x, y, row.value) {
            Rule::Silence => {
                self.silenced.push(node);
                return note(What::Masked, None);
            }
            Rule::Bounded(bound) => {
                note(What::Saturated, None);
                row.op.bounded(g, x, y, row.value, bound)
            }
            Rule::Classical => row.op.classical(g, x, y, row.value),
        };
        match row.operands(&graph.lists) {
            Operands::Fixed(inputs, count) => {
                for (place, (&input, contribution)) in (0..).zip(inputs[..count].iter().zip(contributions)) {
                    if flows(input) && !contribution.is_finite() && g != 0.0 {
                        note(What::Dropped, Some(place));
                    }
                }
            }
            Operands::List(inputs, mode) => {
                for (place, &input) in (0..).zip(inputs) {
                    if !flows(input) {
                    } else if !mode.keeps(graph.nodes[input as usize].value) {
                        note(What::Masked, Some(place));
                    } else if !g.is_finite() {
                        note(What::Dropped, Some(place));
                    }
                }
            }
        }
    }

    /// Where the values began that are not REAL, of `target` and of the nodes that were silenced: the
    /// births in descending order, and through whom their values were carried on.
    fn find_births(&self, scratch: &mut Scratch, target: u32) -> (Vec<u32>, Users) {
        let graph = self.graph;
        let (mut births, mut carriers) = (vec![], Users::of(graph.len()));
        scratch.set.grow(graph.len());
        let is_real = |node: u32| graph.nodes[node as usize].value.is_finite();
        for &start in self.silenced.iter().chain(Some(&target).filter(|&&target| !is_real(target))) {
            scratch.set.insert(start);
        }
        for found in &self.found {
            if let (What::Masked, Some(place)) = (found.what, found.input)
                && let Operands::List(inputs, _) = graph.nodes[found.node as usize].operands(&graph.lists)
            {
                scratch.set.insert(inputs[place as usize]);
            }
        }
        while let Some(node) = scratch.set.take_last() {
            let (mut carried, mut all_but_phi) = (false, true);
            graph.nodes[node as usize].operands(&graph.lists).for_each(|input| {
                let value = graph.nodes[input as usize].value;
                all_but_phi &= !value.is_nan();
                if !value.is_finite() {
                    carried = true;
                    carriers.note(input, node);
                    scratch.set.insert(input);
                }
            });
            let makes_phi = graph.nodes[node as usize].value.is_nan() && all_but_phi;
            if !carried || makes_phi {
                births.push(node);
            }
        }
        (births, carriers)
    }
}

/// The operands of an elementwise op; for the second one of a power its exponent.
fn both_operands(graph: &Graph, row: &Node) -> [f64; 2] {
    let value = |node: u32| graph.nodes[node as usize].value;
    let [a, b] = row.links;
    match row.op.arity() {
        Arity::Unary => [value(a), 0.0],
        Arity::Power => [value(a), f64::from(b as i32)],
        Arity::Binary => [value(a), value(b)],
        Arity::Leaf | Arity::Variadic => [0.0; 2],
    }
}
