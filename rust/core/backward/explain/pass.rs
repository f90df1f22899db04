//! A backward pass under examination.

use super::super::policies::{Coordinate, Decide, Hybrid, MaskReal, Policy, Rule, Saturating};
use super::super::step::{self, Arrived, Sink};
use super::super::{OnLeaf, Scratch, ignore_leaf, run_pass};
use super::what::{MOST_NAMED, What};
use crate::adjoints::{ACTIVE, Adjoint};
use crate::error::Error;
use crate::graph::origins::kept;
use crate::graph::{Graph, LastPass, Node, Versions, flag};
use crate::mode::{GradientMode, ModeState};
use crate::op::{Arity, Op};
use crate::room;
use crate::stats::Statistics;
use std::collections::HashMap;
use std::iter::successors;
use std::rc::Rc;

/// An event before it is given handles.
pub(super) struct Found {
    pub what: What,
    pub node: u32,
    pub input: Option<u32>,
}

/// Which node led to which: by node the user through which it was found.
struct Users(Vec<u32>);

const NOBODY: u32 = u32::MAX;

impl Users {
    fn of(nodes: usize) -> Result<Self, Error> {
        room::filled(nodes, NOBODY).map(Self)
    }

    fn note(&mut self, node: u32, user: u32) {
        let slot = &mut self.0[node as usize];
        if *slot == NOBODY {
            *slot = user;
        }
    }

    /// Where that goes which arrives at a node; every alias on the way is a user of the next node.
    fn pass_on(&mut self, rows: &[Adjoint], graph: &Graph, node: u32) -> u32 {
        let target = rows[node as usize].target().unwrap_or(node);
        let mut at = node;
        while at != target {
            let below = graph.nodes[at as usize].links[0];
            if self.get(below).is_some() {
                break; // all of the way was gone before
            }
            self.note(below, at);
            at = below;
        }
        target
    }

    fn get(&self, node: u32) -> Option<u32> {
        Some(self.0[node as usize]).filter(|&user| user != NOBODY)
    }
}

/// The way from each node to the node explained.
pub(super) struct Trails {
    users: Users,
    /// How long each way is.
    steps: Vec<u32>,
}

impl Trails {
    fn new(users: Users) -> Result<Self, Error> {
        let mut steps = room::filled(users.0.len(), 0)?;
        for node in (0..steps.len()).rev() {
            steps[node] = users.get(node as u32).map_or(0, |user| steps[user as usize] + 1);
        }
        Ok(Self { users, steps })
    }

    /// The nodes behind this one.
    pub fn from(&self, node: u32) -> impl Iterator<Item = u32> {
        successors(self.users.get(node), |&node| self.users.get(node))
    }

    pub fn steps(&self, node: u32) -> usize {
        self.steps[node as usize] as usize
    }
}

/// The first [`MOST_NAMED`] leaves below each node of a pass, in recording order.
pub(super) struct Leaves(HashMap<u32, Rc<[u32]>>);

/// So many lists of leaves are made between two questions whether there is memory for them.
const LISTS_AT_ONCE: usize = 4096;

/// What a list of leaves takes at most, roughly.
const SIZE_OF_LIST: usize = MOST_NAMED * size_of::<u32>() + 48;

impl Leaves {
    /// Of these nodes, given in descending order. A source stands for all that is below it.
    fn below_each(graph: &Graph, active: &[u32], sources: Option<&[u32]>) -> Result<Self, Error> {
        let mut known: HashMap<u32, Rc<[u32]>> = HashMap::new();
        known.try_reserve(active.len()).map_err(|_| Error::OutOfMemory)?;
        for (place, &node) in active.iter().rev().enumerate() {
            if place % LISTS_AT_ONCE == 0 {
                room::probe(LISTS_AT_ONCE * SIZE_OF_LIST)?;
            }
            let operands = graph.nodes[node as usize].operands(&graph.lists);
            let mut below: Option<Rc<[u32]>> = None;
            for more in operands.inputs().iter().filter_map(|input| known.get(input)) {
                below = Some(below.map_or_else(|| more.clone(), |so_far| merged(&so_far, more)));
            }
            let is_source = |sources: &[u32]| sources.binary_search(&node).is_ok();
            if sources.map_or(operands.inputs().is_empty(), is_source) {
                below = Some([node].into());
            }
            known.extend(below.map(|below| (node, below)));
        }
        Ok(Self(known))
    }

    /// Those that an event concerns.
    pub fn below(&self, graph: &Graph, found: &Found) -> Rc<[u32]> {
        let inputs = graph.nodes[found.node as usize].operands(&graph.lists);
        let at = found.input.map_or(found.node, |place| inputs.inputs()[place as usize]);
        let known = self.0.get(&at).filter(|_| found.what != What::Born);
        known.cloned().unwrap_or_default()
    }
}

/// The first of two ascending lists, together.
fn merged(a: &Rc<[u32]>, b: &Rc<[u32]>) -> Rc<[u32]> {
    if Rc::ptr_eq(a, b) || a == b {
        return a.clone();
    }
    let mut both: Vec<_> = a.iter().chain(b.iter()).copied().collect();
    both.sort_unstable();
    both.dedup();
    both.truncate(MOST_NAMED);
    both.into()
}

/// Decides as the statistics would, and counts nothing.
struct Unasked(Statistics);

impl Decide for Unasked {
    fn decide(&mut self, _: usize, state: &ModeState, d: f64, at: Coordinate) -> bool {
        self.would_saturate(state, d, at)
    }

    fn would_saturate(&self, state: &ModeState, d: f64, at: Coordinate) -> bool {
        self.0.would_saturate(state, d, at.explored)
    }
}

/// What a pass did, and how it went from node to node.
pub(super) struct Pass<'a> {
    graph: &'a Graph,
    /// The only nodes that gradients are asked of, in ascending order; otherwise all leaves.
    sources: Option<Vec<u32>>,
    /// The nodes that gradients flow through, in descending order.
    active: Vec<u32>,
    /// The nodes at which a contribution arrived.
    arrived: Vec<bool>,
    found: Vec<Found>,
    users: Users,
    /// Nodes whose values were the reason that nothing was passed on.
    silenced: Vec<u32>,
    /// The rows of recorded gradients, in descending order, and what they pass on to.
    boundaries: Vec<(u32, Vec<u32>)>,
    /// Whether there was memory for all that was found.
    noted: Result<(), Error>,
}

impl<'a> Pass<'a> {
    pub fn new(graph: &'a Graph, sources: Option<Vec<u32>>) -> Result<Self, Error> {
        let nodes = graph.len();
        Ok(Self {
            graph,
            sources,
            active: vec![],
            arrived: room::filled(nodes, false)?,
            found: vec![],
            users: Users::of(nodes)?,
            silenced: vec![],
            boundaries: vec![],
            noted: Ok(()),
        })
    }

    /// What was found.
    pub fn into_found(self) -> Vec<Found> {
        self.found
    }

    /// What was found, and the ways and leaves of its nodes if any is to be told.
    pub fn into_parts(self, limit: usize) -> Result<(Vec<Found>, Trails, Leaves), Error> {
        let active = if limit == 0 || self.found.is_empty() { &[][..] } else { &self.active };
        let leaves = Leaves::below_each(self.graph, active, self.sources.as_deref())?;
        Ok((self.found, Trails::new(self.users)?, leaves))
    }

    /// Runs the pass and asks each node that it reached. Returns whether it leads anywhere.
    pub fn replay(&mut self, scratch: &mut Scratch, pass: &LastPass) -> Result<bool, Error> {
        let (graph, state, root) = (self.graph, &pass.state, pass.root);
        scratch.adjoints.grow(graph.len())?;
        self.active = match &mut self.sources {
            Some(sources) => {
                let reached = scratch.below(graph, root, Node::needs_grad)?;
                let versions = graph.versions(sources, &reached)?;
                room::reserve(sources, versions.rows().count())?;
                sources.extend(versions.rows());
                sources.sort_unstable();
                sources.dedup();
                scratch.activate(graph, &reached, sources, &Versions::default())?
            }
            None => scratch.reachable(graph, root)?,
        };
        self.active.sort_unstable_by(|a, b| b.cmp(a));
        self.active.dedup(); // a source that leads to another one is there twice
        if self.sources.is_none() {
            scratch.activate_all(graph, &mut self.active);
        }
        let leads = scratch.adjoints.rows[root as usize].mark & ACTIVE != 0;
        let mut done = Ok(leads);
        if leads {
            let mut statistics = Statistics::that_saturates(pass.saturates);
            let mut adjoints = std::mem::take(&mut scratch.adjoints);
            let (seed, counting) = (pass.seed.into(), Some(&mut statistics));
            scratch.note_left_out_by_gradients();
            let ran = run_pass::<true>(
                graph,
                true,
                &mut adjoints,
                scratch,
                root,
                seed,
                state,
                counting,
                &mut ignore_leaf as OnLeaf,
            );
            scratch.adjoints = adjoints;
            let by_gradients = scratch.left_out_by_gradients();
            done = match ran.and_then(|_| self.find_boundaries(scratch)) {
                Ok(()) => self
                    .ask_all(scratch, pass, statistics)
                    .and_then(|()| self.add_left_out(by_gradients))
                    .map(|()| leads),
                Err(error) => Err(error),
            };
        }
        for &node in &self.active {
            scratch.adjoints.rows[node as usize].mark = 0;
        }
        done
    }

    /// What the derivatives of recorded gradients left out, each where the pass came to its node.
    fn add_left_out(&mut self, by_gradients: Vec<(u32, u32)>) -> Result<(), Error> {
        if by_gradients.is_empty() {
            return Ok(());
        }
        room::reserve(&mut self.found, by_gradients.len())?;
        for (node, gradients) in by_gradients {
            self.users.note(node, gradients);
            self.found.push(Found { what: What::Dropped, node, input: None });
        }
        self.found.sort_by_key(|found| std::cmp::Reverse(found.node));
        Ok(())
    }

    /// The rows of recorded gradients at which something arrived, the nearest to the root first.
    pub fn gradients(&self) -> Vec<u32> {
        let rows = self.boundaries.iter().map(|&(row, _)| row);
        rows.filter(|&row| self.arrived[row as usize]).collect()
    }

    fn find_boundaries(&mut self, scratch: &mut Scratch) -> Result<(), Error> {
        let graph = self.graph;
        for &node in self.active.iter().filter(|&&node| graph.nodes[node as usize].op == Op::Gradients) {
            let boundary = scratch.inner().boundary(graph, node)?;
            room::push(&mut self.boundaries, (node, boundary))?;
        }
        Ok(())
    }

    /// Recorded gradients pass something to what they depend on.
    fn pass_on_gradients(&mut self, scratch: &Scratch, node: u32) {
        let place = self.boundaries.binary_search_by(|(row, _)| node.cmp(row));
        let Ok(place) = place else { return };
        let (boundary, rows) = (std::mem::take(&mut self.boundaries[place].1), &scratch.adjoints.rows);
        for input in boundary {
            if rows[input as usize].mark & ACTIVE != 0 {
                self.users.note(input, node);
                let target = self.users.pass_on(rows, self.graph, input);
                self.arrived[target as usize] = true;
            }
        }
    }

    fn ask_all(&mut self, scratch: &Scratch, pass: &LastPass, statistics: Statistics) -> Result<(), Error> {
        let state = &pass.state;
        let on_input = self.graph.nodes[pass.root as usize].flags & flag::ON_INPUT != 0;
        let coordinates = if on_input { &scratch.coordinates[..] } else { &[] };
        if pass.seed.is_finite() {
            let (rows, arrived) = (&scratch.adjoints.rows, &mut self.arrived);
            arrived[self.users.pass_on(rows, self.graph, pass.root) as usize] = true;
        } else {
            // Left out like any contribution.
            self.note(Found { what: What::Dropped, node: pass.root, input: None });
        }
        match state.mode {
            GradientMode::MaskReal => self.ask_each(scratch, &mut MaskReal),
            GradientMode::Saturating => self.ask_each(scratch, &mut Saturating { bound: state.bound() }),
            GradientMode::Hybrid => {
                let decisions = &mut Unasked(statistics);
                self.ask_each(scratch, &mut Hybrid { state, decisions, coordinates });
            }
        }
        std::mem::replace(&mut self.noted, Ok(()))
    }

    fn note(&mut self, found: Found) {
        if let Err(error) = room::push(&mut self.found, found) {
            self.noted = Err(error);
        }
    }

    fn note_silenced(&mut self, node: u32) {
        if let Err(error) = room::push(&mut self.silenced, node) {
            self.noted = Err(error);
        }
    }

    fn ask_each<P: Policy>(&mut self, scratch: &Scratch, policy: &mut P) {
        let active = std::mem::take(&mut self.active);
        active.iter().for_each(|&node| self.ask(scratch, node, policy));
        self.active = active;
    }

    /// What a node did with its adjoint, if one arrived: the empty sum, which it passes on if everything
    /// above was silenced or left out, is none.
    fn ask<P: Policy>(&mut self, scratch: &Scratch, node: u32, policy: &mut P) {
        let graph = self.graph;
        let row = graph.nodes[node as usize];
        if !self.arrived[node as usize] || row.op.arity() == Arity::Leaf {
            return;
        }
        if row.op == Op::Gradients {
            return self.pass_on_gradients(scratch, node);
        }
        let g = scratch.adjoints.rows[node as usize].value;
        let [x, y] = both_operands(graph, &row);
        let operands = row.operands(&graph.lists);
        let (at, from) = (node as usize, Arrived { g, status: 0 });
        let mut notes = Notes { pass: self, scratch, node, inputs: operands.inputs() };
        if row.op == Op::Gradient {
            let silence = matches!(policy.rule_without_pole(row.value), Rule::Silence);
            return if silence { notes.mask(1, from) } else { notes.receive(0, g, from) };
        }
        if row.is_alias() {
            // Contributions stay at one that is a source, and go on from there as a sum.
            return notes.receive(0, g, from);
        }
        with_elementwise!(row.op, O => step::elementwise::<O, P>(policy, at, from, [x, y, row.value], &mut notes), else {
            let values = operands.inputs().iter().map(|&input| graph.nodes[input as usize].value);
            let mode = operands.reduction();
            with_variadic!(row.op, O => step::variadic::<O, P>(policy, from, values, mode, row.value, &mut notes), else ())
        });
    }

    /// Where the values began that are not REAL, of `target` and of what was silenced: the origin behind
    /// `target` first, the others in recording order.
    pub fn find_origins(&mut self, scratch: &mut Scratch, target: u32) -> Result<Vec<Found>, Error> {
        let graph = self.graph;
        let value = |node: u32| graph.nodes[node as usize].value;
        let (mut origins, mut carriers) = (vec![], Users::of(graph.len())?);
        scratch.set.grow(graph.len())?;
        let starts = self.silenced.iter().chain(Some(&target)).filter(|&&node| !value(node).is_finite());
        starts.for_each(|&start| scratch.set.insert(start));
        while let Some(node) = scratch.set.take_last() {
            let operands = graph.nodes[node as usize].operands(&graph.lists);
            let kept = kept(operands.reduction(), operands.inputs().iter().map(|&input| value(input)));
            for &input in operands.inputs().iter().filter(|&&i| !value(i).is_finite() && kept(value(i))) {
                carriers.note(input, node);
                scratch.set.insert(input);
            }
            if graph.carrier(node).is_none() {
                let origin = Found { what: What::Born, node, input: None };
                room::push(&mut origins, origin).inspect_err(|_| scratch.set.clear())?;
            }
        }
        origins.reverse();
        let behind = graph.origin_behind(target);
        if let Some(place) = origins.iter().position(|origin| Some(origin.node) == behind) {
            origins[..=place].rotate_right(1);
        }
        // The way of a value comes before the way of the gradient that stopped at it.
        for (slot, carrier) in
            self.users.0.iter_mut().zip(carriers.0).filter(|(_, carrier)| *carrier != NOBODY)
        {
            *slot = carrier;
        }
        Ok(origins)
    }
}

/// Notes what a node did.
struct Notes<'p, 'g, 'i> {
    pass: &'p mut Pass<'g>,
    scratch: &'p Scratch,
    node: u32,
    inputs: &'i [u32],
}

impl Notes<'_, '_, '_> {
    fn note(&mut self, what: What, input: Option<u32>) {
        self.pass.note(Found { what, node: self.node, input });
    }

    /// The input at a place, or what it stands for, which got to know its user; `None` if no gradient flows
    /// there.
    fn input(&mut self, place: usize) -> Option<u32> {
        let (input, rows) = (self.inputs[place], &self.scratch.adjoints.rows);
        if rows[input as usize].mark & ACTIVE == 0 {
            return None;
        }
        self.pass.users.note(input, self.node);
        Some(self.pass.users.pass_on(rows, self.pass.graph, input))
    }
}

impl Sink for Notes<'_, '_, '_> {
    fn receive(&mut self, place: usize, contribution: f64, from: Arrived) {
        let Some(input) = self.input(place) else { return };
        if contribution.is_finite() {
            self.pass.arrived[input as usize] = true;
        } else if from.g != 0.0 {
            self.note(What::Dropped, Some(place as u32));
        }
    }

    fn silence(&mut self, place: usize, _from: Arrived) {
        if let Some(input) = self.input(place) {
            self.pass.note_silenced(input);
            self.note(What::Masked, Some(place as u32));
        }
    }

    fn mask(&mut self, _operands: usize, _from: Arrived) {
        self.pass.note_silenced(self.node);
        self.note(What::Masked, None);
    }

    fn saturate(&mut self) {
        self.note(What::Saturated, None);
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
        Arity::Leaf | Arity::Variadic | Arity::Alias | Arity::Gradients | Arity::Gradient => [0.0; 2],
    }
}
