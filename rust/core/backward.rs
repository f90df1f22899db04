//! The backward pass: one reverse sweep over what the root reaches.
//!
//! Nodes are visited in reverse of recording, each once, and only if gradients flow through them.
//! A node looks at its value and mode, then passes a contribution to each input, or silences it.
//! Every contribution goes through `Adjoint::receive`, the one place that decides what is added
//! and what is dropped.

mod dead_branches;
pub mod explain;
mod left_out;
#[doc(hidden)]
pub mod policies;
mod recorded;
mod scratch;
pub mod second;
mod second_order;
#[doc(hidden)]
pub mod step;
mod sweep;

use crate::adjoints::{ACTIVE, Adjoints};
use crate::error::Error;
use crate::graph::aliases::Side;
use crate::graph::{Graph, Handle, Node, accumulate, flag};
use crate::mode::{GradientMode, ModeState, Region};
use crate::op::{Arity, Op};
pub use crate::pass_counts::PassCounts;
use crate::room::{self, granted};
use crate::scalar::TrScalar;
use crate::stats::Statistics;
use crate::status::Status;
use policies::{Decide, Hybrid, MaskReal, Saturating};
pub use scratch::{Gradient, Scratch};
use sweep::{Sweep, Visit};

/// The gradients by each source, and what the pass silenced and left out.
pub type Gradients = (Vec<Option<Gradient>>, PassCounts);

/// Who sees the leaves of rare passes, which share one compiled sweep.
type OnLeaf<'a> = &'a mut dyn FnMut(u32, f64, Status);

/// For passes that ask their sources for gradients.
fn ignore_leaf(_: u32, _: f64, _: Status) {}

/// One pass over `graph` in the mode that `state` names, working in `adjoints`. All memory is asked for before
/// anything is changed.
#[expect(clippy::too_many_arguments, reason = "the parts of a pass, borrowed one by one")]
fn run_pass<const RARE: bool>(
    graph: &Graph,
    restricted: bool,
    adjoints: &mut Adjoints,
    scratch: &mut Scratch,
    root: u32,
    seed: TrScalar,
    state: &ModeState,
    mut statistics: Option<&mut Statistics>,
    on_leaf: impl FnMut(u32, f64, Status),
) -> Result<PassCounts, Error> {
    scratch.trim(graph.len());
    scratch.set.grow(graph.len())?;
    let on_input =
        state.mode == GradientMode::Hybrid && !scratch.trace_coordinates(graph, root, state)?.is_empty();
    adjoints.grow(graph.len())?;
    // One length for both, so that one check of an index serves both.
    let nodes = graph.len();
    let Scratch { set, passed, coordinates, inner, .. } = scratch;
    let mut sweep = Sweep::<RARE> {
        restricted,
        nodes: &graph.nodes[..nodes],
        lists: &graph.lists,
        adjoints: &mut adjoints.rows[..nodes],
        set,
        passed,
        counts: PassCounts::default(),
    };
    // The seed is the root's first contribution, and is left out like any other if not REAL.
    let seed = seed.to_ieee();
    sweep.receive(root, seed, Visit { index: 0, block: u32::MAX, g: seed, status: 0 });
    let mut failed = Ok(());
    let mut on_gradients = |sweep: Sweep<'_, RARE>, node, decisions: Option<&mut dyn Decide>| {
        let inner = inner.get_or_insert_default();
        recorded::pass_on_gradients(graph, sweep, node, inner, decisions).unwrap_or_else(|error| {
            failed = Err(error);
            PassCounts::default()
        })
    };
    // Modes that decide nothing themselves may meet gradients of one that does.
    let told = |sweep: Sweep<'_, RARE>, node, _: Option<&mut dyn Decide>| {
        on_gradients(sweep, node, statistics.as_deref_mut().map(|decisions| decisions as &mut dyn Decide))
    };
    match state.mode {
        GradientMode::MaskReal => sweep.run(&mut MaskReal, on_leaf, told),
        GradientMode::Saturating => sweep.run(&mut Saturating { bound: state.bound() }, on_leaf, told),
        GradientMode::Hybrid => {
            let coordinates = if on_input { &coordinates[..] } else { &[] };
            let mut unasked = Statistics::default();
            let decisions = statistics.unwrap_or(&mut unasked);
            sweep.run(&mut Hybrid { state, decisions, coordinates }, on_leaf, on_gradients);
        }
    }
    failed.map(|()| sweep.counts)
}

impl Graph {
    /// Differentiates `root`. Adds to the gradients of the parameters and inputs it depends on, and
    /// shows the adjoints of this pass on the nodes between. A leaf that it depends on only through what a
    /// condition did not choose, and that has no gradient yet, gets 0.
    ///
    /// `seed` is the root's adjoint; one that is not REAL is left out and counted as dropped. The
    /// decisions of Hybrid mode are counted in `statistics`; what was silenced or left out is
    /// returned, for [`Statistics::add_pass`].
    ///
    /// # Errors
    /// [`Error::NoParameter`] if no gradient can flow below `root`; [`Error::SecondDerivative`] if `root` was
    /// computed from a gradient; [`Error::OutOfMemory`]. Then no gradient has changed.
    pub fn backward(
        &mut self,
        root: Handle,
        seed: TrScalar,
        state: &ModeState,
        statistics: Option<&mut Statistics>,
        scratch: &mut Scratch,
    ) -> Result<PassCounts, Error> {
        if self.nodes[self.node(root) as usize].flags & flag::GRADIENT != 0 {
            return Err(Error::SecondDerivative);
        }
        if !self.learns(root) {
            return Err(Error::NoParameter);
        }
        let root = self.node(root);
        let saturates = statistics.as_ref().is_some_and(|statistics| statistics.saturates());
        // What the pass changes is taken out meanwhile. A pass that may fail half-way tells the leaves at its end.
        let mut adjoints = std::mem::take(&mut self.adjoints);
        let mut leaves = (!self.may_lead_to_gradients(root)).then(|| self.take_leaves());
        let (mut waiting, mut noted) = (vec![], Ok(()));
        let mut on_leaf = |node: u32, g, status| {
            let node = &self.nodes[node as usize];
            if node.has_leaf() {
                if let Some(leaves) = &mut leaves {
                    leaves.accumulate(node.links[0], (g, status));
                } else if let Err(error) = room::push(&mut waiting, (node.links[0], (g, status))) {
                    noted = Err(error);
                }
            }
        };
        let counts = if self.may_lead_to_alias(root) || self.may_lead_to_gradients(root) {
            run_pass::<true>(
                self,
                false,
                &mut adjoints,
                scratch,
                root,
                seed,
                state,
                statistics,
                &mut on_leaf as OnLeaf,
            )
        } else {
            run_pass::<false>(self, false, &mut adjoints, scratch, root, seed, state, statistics, on_leaf)
        };
        let counts = counts.and_then(|counts| noted.map(|()| counts));
        let mut leaves = leaves.unwrap_or_else(|| self.take_leaves());
        if counts.is_ok() {
            waiting.into_iter().for_each(|(leaf, found)| leaves.accumulate(leaf, found));
        }
        self.adjoints = adjoints;
        self.put_leaves(leaves);
        if counts.is_ok() {
            self.begin_pass(root, seed.to_ieee(), state, saturates);
        }
        self.end_passed(scratch, counts.is_ok());
        counts
    }

    /// The gradients of `root` with respect to `sources`, in their order: `None` for a source that
    /// no path leads to, 0 where all paths lead through what a condition did not choose. An alias that is a
    /// source is a leaf of its own. Leaves every node's own gradient alone. A constant is reached through what
    /// was recorded while it was watched, a parameter or input also through what was recorded before it was
    /// assigned another value.
    ///
    /// # Errors
    /// [`Error::SecondDerivative`] if `root` was computed from a gradient that may depend on a source;
    /// [`Error::OutOfMemory`].
    pub fn gradients_of(
        &self,
        root: Handle,
        seed: TrScalar,
        sources: &[Handle],
        state: &ModeState,
        statistics: Option<&mut Statistics>,
        scratch: &mut Scratch,
    ) -> Result<Gradients, Error> {
        let (root, sources): (_, Vec<u32>) =
            (self.node(root), sources.iter().map(|&s| self.node(s)).collect());
        if scratch.needs_second_order(self, root, &sources)? {
            return Err(Error::SecondDerivative);
        }
        if !self.nodes[root as usize].needs_grad() && !sources.contains(&root) {
            return Ok((vec![None; sources.len()], PassCounts::default()));
        }
        scratch.adjoints.grow(self.len())?;
        // A source may be what a condition chose, although gradients flow to no leaf from there.
        let reached = scratch.below(self, root, Node::needs_grad)?;
        let versions = self.versions(&sources, &reached)?;
        let active = scratch.activate(self, &reached, &sources, &versions)?;
        let mut adjoints = std::mem::take(&mut scratch.adjoints);
        let mut counts = Ok(PassCounts::default());
        if adjoints.rows[root as usize].mark & ACTIVE != 0 {
            counts = run_pass::<true>(
                self,
                true,
                &mut adjoints,
                scratch,
                root,
                seed,
                state,
                statistics,
                &mut ignore_leaf as OnLeaf,
            );
        }
        let found = sources.iter().map(|&source| {
            let Some(rows) = self.versions_of(source, &versions) else { return adjoints.get(source) };
            let mut sum = None;
            rows.filter_map(|row| adjoints.get(row)).for_each(|more| accumulate(&mut sum, more));
            sum
        });
        let mut found: Vec<_> =
            found.map(|f| f.map(|(g, status)| (TrScalar::from_ieee(g), status))).collect();
        for node in active {
            adjoints.rows[node as usize].mark = 0;
        }
        scratch.adjoints = adjoints;
        let counts = counts?;
        if scratch.met_alias && found.contains(&None) {
            scratch.zero_dead_sources(self, root, &sources, &mut found)?;
        }
        Ok((found, counts))
    }

    /// What a node passes to each input for the adjoint `seed`, in operand order: the sum it adds
    /// and its status. Counts nothing.
    ///
    /// The node is recorded alone on an arena of its own, so the rules are those of any pass.
    pub fn contributions(
        &self,
        handle: Handle,
        seed: TrScalar,
        state: &ModeState,
        statistics: &Statistics,
    ) -> Vec<Gradient> {
        granted(self.try_contributions(handle, seed, state, statistics))
    }

    /// [`Graph::contributions`].
    ///
    /// # Errors
    /// [`Error::OutOfMemory`] if there is none for the coordinates below the node.
    pub fn try_contributions(
        &self,
        handle: Handle,
        seed: TrScalar,
        state: &ModeState,
        statistics: &Statistics,
    ) -> Result<Vec<Gradient>, Error> {
        let (place, mut scratch) = (self.node(handle), Scratch::default());
        let coordinates = scratch.trace_coordinates(self, place, state)?;
        let explored = coordinates.get(place as usize).is_some_and(|at| at.explored);

        // On its own the node no longer sees the coordinates below it, so its inputs become
        // coordinates themselves, in a region that holds everything or in none.
        let mut state = state.clone();
        let everywhere = [Region { low: f64::MIN, high: f64::MAX }];
        state.set_regions(if explored { &everywhere } else { &[] });
        let mut alone = Graph::new();
        let node = self.nodes[place as usize];
        let mut inputs = vec![];
        node.references(&self.lists).for_each(|input| {
            inputs.push(alone.leaf(Op::Input, self.nodes[input as usize].value, None));
        });
        let root = match (node.op.arity(), &inputs[..]) {
            (Arity::Unary, &[a]) => alone.unary(node.op, a),
            (Arity::Power, &[a]) => alone.pow_int(a, node.links[1] as i32),
            (Arity::Binary, &[a, b]) => alone.binary(node.op, a, b),
            (Arity::Alias | Arity::Gradient, &[a]) => alone.alias(a),
            (Arity::Alias, &[a, b]) => {
                alone.choose(Side::Node(a), Side::Node(b)).expect("inputs may be asked for gradients")
            }
            (Arity::Variadic, inputs) => {
                alone.reduce(node.op, self.reduction(handle).unwrap_or_default(), inputs)
            }
            _ => return Ok(vec![]),
        };
        let done = alone.backward(root, seed, &state, Some(&mut statistics.clone()), &mut scratch);
        debug_assert!(done.is_ok() || inputs.is_empty());
        Ok(inputs.into_iter().filter_map(|input| alone.gradient(input)).collect())
    }

    /// The nodes that gradients flow through below `root`, root first, in reverse of recording.
    pub fn topological_order(&mut self, root: Handle, scratch: &mut Scratch) -> Vec<Handle> {
        granted(self.try_topological_order(root, scratch))
    }

    /// [`Graph::topological_order`].
    ///
    /// # Errors
    /// [`Error::OutOfMemory`].
    pub fn try_topological_order(
        &mut self,
        root: Handle,
        scratch: &mut Scratch,
    ) -> Result<Vec<Handle>, Error> {
        let order = scratch.reachable(self, self.node(root))?;
        self.handles(&order)
    }
}
