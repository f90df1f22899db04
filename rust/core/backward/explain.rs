//! Why a value is not REAL, and what became of a gradient on its way.
//!
//! A question is answered by a backward pass that changes nothing and counts nothing, after which every
//! node that it reached is asked by the same rules what it did (`pass.rs`). Among nodes that are not
//! REAL, one that took over no such value from its operands is an origin.
//!
//! The cost is proportional to the arena, however many events are told.

mod pass;
mod what;

use super::Scratch;
pub use super::left_out::LeftOut;
use crate::error::Error;
use crate::graph::origins::MOST_OPERANDS;
use crate::graph::{GradientPass, Graph, Handle, LastPass};
use crate::mode::{GradientMode, ModeState};
use crate::op::Op;
use crate::room::granted;
use crate::scalar::TrScalar;
use crate::stats::Statistics;
use pass::{Found, Pass, Trails};
pub use what::{MOST_NAMED, What};

/// Something that happened at a node. Its handles belong to whoever gets it.
#[derive(Clone, Debug)]
pub struct Event<N = Handle> {
    /// What happened.
    pub what: What,
    /// Where.
    pub node: N,
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
    pub path: Vec<N>,
    /// How long the path is.
    pub steps: usize,
    /// The leaves that gradients flow to from there, the first ones recorded; none of an origin.
    pub leaves: Vec<N>,
    /// The origin behind a value that was silenced, if that is another node.
    pub cause: Option<Box<Event<N>>>,
}

impl<N> Event<N> {
    /// The event with other names for its nodes.
    pub fn map<M>(self, name: &mut impl FnMut(N) -> M) -> Event<M> {
        Event {
            what: self.what,
            node: name(self.node),
            op: self.op,
            operands: self.operands,
            value: self.value,
            carried: self.carried,
            place: self.place,
            input: self.input,
            path: self.path.into_iter().map(&mut *name).collect(),
            steps: self.steps,
            leaves: self.leaves.into_iter().map(&mut *name).collect(),
            cause: self.cause.map(|cause| Box::new(cause.map(name))),
        }
    }
}

/// The answer to "why is this value not REAL, or this gradient zero or bounded?"
#[derive(Clone, Debug)]
pub struct Explanation<N = Handle> {
    /// The node whose backward pass the gradients' part is about; `None` without one.
    pub root: Option<N>,
    /// Whether the root depends on what was asked about.
    pub depends: bool,
    /// The mode of that pass.
    pub mode: GradientMode,
    /// What happened: the origin behind the value and then the others in recording order, everything else
    /// from the root on down.
    pub events: Vec<Event<N>>,
    /// How much of each kind happened, also beyond what `events` holds.
    pub counts: [usize; 4],
    /// What the passes did whose recorded gradients this one differentiates, the nearest to the root first. What
    /// they silence is a constant here.
    pub inner: Vec<Explanation<N>>,
}

impl<N> Explanation<N> {
    /// The explanation with other names for its nodes.
    pub fn map<M>(self, name: &mut impl FnMut(N) -> M) -> Explanation<M> {
        Explanation {
            root: self.root.map(&mut *name),
            depends: self.depends,
            mode: self.mode,
            events: self.events.into_iter().map(|event| event.map(name)).collect(),
            counts: self.counts,
            inner: self.inner.into_iter().map(|inner| inner.map(name)).collect(),
        }
    }
}

/// A question.
struct Asked {
    /// Whose value is explained.
    target: u32,
    /// The backward pass.
    replayed: Option<LastPass>,
    /// The only nodes whose gradients are asked about.
    sources: Option<Vec<u32>>,
    /// How many events of each kind are told in full.
    limit: usize,
}

impl Graph {
    /// Explains the value of a node and the gradients of a backward pass from it: those of all
    /// leaves below, or of `wrt` alone. Of a parameter or input by itself, explains its gradient in the
    /// last backward pass, whose root must still be there. A parameter or input stands for what it was
    /// before an assignment as well.
    ///
    /// Nothing changes. At most `limit` events of each kind, and passes of recorded gradients, are told in full.
    pub fn explain(
        &mut self,
        target: Handle,
        wrt: Option<Handle>,
        state: &ModeState,
        statistics: &Statistics,
        scratch: &mut Scratch,
        limit: usize,
    ) -> Explanation {
        granted(self.try_explain(target, wrt, state, statistics, scratch, limit))
    }

    /// [`Graph::explain`].
    ///
    /// # Errors
    /// [`Error::OutOfMemory`] if there is none for what a pass takes.
    pub fn try_explain(
        &mut self,
        target: Handle,
        wrt: Option<Handle>,
        state: &ModeState,
        statistics: &Statistics,
        scratch: &mut Scratch,
        limit: usize,
    ) -> Result<Explanation, Error> {
        let node = self.node(target);
        let begins =
            |root| LastPass { root, seed: 1.0, state: state.clone(), saturates: statistics.saturates() };
        let row = &self.nodes[node as usize];
        let (replayed, source) = match wrt {
            Some(source) => (Some(begins(node)), Some(self.node(source))),
            None if row.has_leaf() => (self.last_pass().cloned(), Some(node)),
            None => (row.needs_grad().then(|| begins(node)), None),
        };
        let sources = source.map(|source| vec![source]);
        let asked = Asked { target: node, replayed: replayed.clone(), sources, limit };
        let (mut explanation, gradients) = self.answer(asked, state.mode, scratch)?;
        // Also through what was not chosen, from where no gradient comes.
        explanation.depends = explanation.depends
            || match (&replayed, source) {
                (Some(replayed), Some(source)) => scratch.depends(self, replayed.root, source)?,
                (replayed, _) => replayed.is_some(),
            };
        for row in gradients.into_iter().take(limit) {
            if let Some(pass) = self.gradient_pass(row) {
                let (start, len) = self.nodes[row as usize].list();
                let (root, sources) = (self.lists[start], self.lists[start + 1..start + len].to_vec());
                let GradientPass { seed, state, saturates } = pass.clone();
                let mode = state.mode;
                let replayed = Some(LastPass { root, seed, state, saturates });
                let asked = Asked { target: root, replayed, sources: Some(sources), limit };
                explanation.inner.push(self.answer(asked, mode, scratch)?.0);
            }
        }
        Ok(explanation)
    }

    /// The answer, which has `depends` if the pass leads anywhere, and the rows of recorded gradients that the pass
    /// differentiates.
    fn answer(
        &mut self,
        asked: Asked,
        mode: GradientMode,
        scratch: &mut Scratch,
    ) -> Result<(Explanation, Vec<u32>), Error> {
        let Asked { target, replayed, sources, limit } = asked;
        let mut pass = Pass::new(self, sources)?;
        let depends = replayed.as_ref().map_or(Ok(false), |replayed| pass.replay(scratch, replayed))?;
        let origins = pass.find_origins(scratch, target)?;
        let gradients = pass.gradients();
        let (found, trails, leaves) = pass.into_parts(limit)?;
        let mut explanation = Explanation {
            root: replayed.as_ref().map(|replayed| self.handle(replayed.root)),
            depends,
            mode: replayed.map_or(mode, |replayed| replayed.state.mode),
            events: vec![],
            counts: [0; 4],
            inner: vec![],
        };
        let mut last = None;
        for found in origins.into_iter().chain(found) {
            // Several terms of second order that a node left out are one event.
            let this = (found.what, found.node, found.input);
            if last.replace(this) == Some(this) {
                continue;
            }
            let count = &mut explanation.counts[found.what as usize];
            *count += 1;
            if *count <= limit {
                let below = leaves.below(self, &found);
                let mut event = self.event(found, &trails);
                // Versions of one leaf are told as one, and so are a leaf and what stood for it in a function.
                let mut leaves = vec![];
                for held in below.iter().map(|&leaf| self.held_version(self.behind_done_aliases(leaf))) {
                    if !leaves.contains(&held) {
                        leaves.push(held);
                    }
                }
                event.leaves = leaves.into_iter().map(|leaf| self.handle(leaf)).collect();
                explanation.events.push(event);
            }
        }
        Ok((explanation, gradients))
    }

    /// What happened, with handles; all but the leaves.
    fn event(&mut self, found: Found, trails: &Trails) -> Event {
        let Found { what, node, input } = found;
        let row = self.nodes[node as usize];
        let handle = self.handle(node);
        let noted = self.origin(handle).cloned();
        let inputs = row.operands(&self.lists);
        let inputs = inputs.inputs();
        let silenced = input.map_or(node, |place| inputs[place as usize]);
        let operands = self.operand_values(node);
        let path = trails.from(node).take(MOST_NAMED).collect::<Vec<_>>();
        let computed = noted.as_ref().filter(|_| row.op == Op::Constant);
        let cause = if what == What::Masked { self.origin_behind(silenced) } else { None };
        let cause = cause.filter(|&origin| origin != node);
        Event {
            what,
            node: handle,
            op: computed.map_or(row.op, |origin| origin.op),
            operands: computed.map_or(operands, |origin| origin.operands.to_vec()),
            value: computed.map_or(row.value, |origin| origin.value),
            carried: computed.is_some_and(|origin| origin.carried),
            place: noted.map(|origin| origin.place),
            input,
            path: path.into_iter().map(|node| self.handle(node)).collect(),
            steps: trails.steps(node),
            leaves: vec![],
            cause: cause
                .map(|node| Box::new(self.event(Found { what: What::Born, node, input: None }, trails))),
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
        granted(self.try_left_out(root, seed, sources, state, statistics, scratch))
    }

    /// [`Graph::left_out`].
    ///
    /// # Errors
    /// [`Error::OutOfMemory`] if there is none for what a pass takes.
    pub fn try_left_out(
        &self,
        root: Handle,
        seed: TrScalar,
        sources: Option<&[Handle]>,
        state: &ModeState,
        statistics: &Statistics,
        scratch: &mut Scratch,
    ) -> Result<Vec<LeftOut>, Error> {
        let sources: Option<Vec<_>> = sources.map(|all| all.iter().map(|&node| self.node(node)).collect());
        let (root, saturates) = (self.node(root), statistics.saturates());
        let mut pass = Pass::new(self, sources)?;
        pass.replay(scratch, &LastPass { root, seed: seed.to_ieee(), state: state.clone(), saturates })?;
        let dropped = pass.into_found().into_iter().filter(|found| found.what == What::Dropped);
        let told = dropped.map(|Found { node, input, .. }| self.left_out_at(node, input));
        Ok(told.collect())
    }

    /// A contribution or term that a node leaves out, to one input or, by `None`, to any.
    pub(super) fn left_out_at(&self, node: u32, input: Option<u32>) -> LeftOut {
        LeftOut {
            op: self.nodes[node as usize].op,
            operands: self.operand_values(node),
            value: self.nodes[node as usize].value,
            place: self.origin_of(node).map(|origin| origin.place),
            input,
        }
    }

    /// The values of a node's first operands; behind the base of a power its exponent.
    fn operand_values(&self, node: u32) -> Vec<f64> {
        let row = self.nodes[node as usize];
        if matches!(row.op, Op::Gradients | Op::Gradient) {
            return vec![]; // not computed from the values of what it names
        }
        let operands = row.operands(&self.lists);
        let values = operands.inputs().iter().map(|&input| self.nodes[input as usize].value);
        let exponent = (row.op == Op::PowInt).then_some(f64::from(row.links[1] as i32));
        values.chain(exponent).take(MOST_OPERANDS).collect()
    }
}
