//! The derivatives of recorded gradients.
//!
//! A row of the op `Gradients` stands for the map from what its root depends on to the gradients Γ of the root.
//! A backward pass that brings weights v to these passes `Jᵀ·v` on, a derivative forward takes `J·v`. What lies
//! between the root and the sources is differentiated by this one pass, as [`super`] has it:
//!
//! ```text
//! inside     what leads from the root to a source
//! boundary   what is met just below that: sources, and whatever else the root depends on
//! ```
//!
//! Contributions go to the boundary, in descending order of its nodes, and the pass that asked goes on from there.
//! A source that leads to another source lies inside.

use super::super::policies::{Coordinate, Decide};
use super::super::scratch::{Gradient, Scratch};
use super::rows::{Row, Rows, flag};
use super::{Product, Sources, trace};
use crate::error::Error;
use crate::graph::Graph;
use crate::mode::ModeState;
use crate::node_set::NodeSet;
use crate::op::Op;
use crate::pass_counts::PassCounts;
use crate::room;
use crate::status::Status;
use std::cell::Cell;

/// What recorded gradients pass on.
#[derive(Default)]
pub(crate) struct Passed {
    /// What the boundary gets: a node, a contribution and its flags.
    pub contributions: Vec<(u32, f64, u8)>,
    /// The choices inside.
    pub choices: Vec<u32>,
}

/// Decides as when the gradients were computed, and tells who is told now.
struct Again<'a> {
    decisions: &'a mut dyn Decide,
    saturates: bool,
}

impl Decide for Again<'_> {
    fn decide(&mut self, node: usize, state: &ModeState, d: f64, at: Coordinate) -> bool {
        let explored = at.explored || self.saturates;
        self.decisions.decide(node, state, d, Coordinate { explored, ..at })
    }

    fn would_saturate(&self, state: &ModeState, d: f64, at: Coordinate) -> bool {
        let explored = at.explored || self.saturates;
        self.decisions.would_saturate(state, d, Coordinate { explored, ..at })
    }
}

impl Rows<1> {
    /// Begins a pass over what leads from `root` to `sources`, with no direction yet: lists the inside and the
    /// boundary, and marks the latter. Returns the rows of the sources, or `None` if nothing lies inside.
    fn enclose(
        &mut self,
        graph: &Graph,
        root: u32,
        sources: &[u32],
        set: &mut NodeSet,
    ) -> Result<Option<Sources>, Error> {
        self.reach(graph, &[root], sources, set)?;
        let sources = Sources::new(sources.to_vec(), graph, &self.reached)?;
        self.seed(&sources.rows, |_, _| 0.0);
        let pass = self.pass;
        for &(_, row) in &sources.rows {
            if self.seen[row as usize] == self.walk {
                self.rows[row as usize].mark |= flag::BOUNDARY;
            }
        }
        for place in (0..self.reached.len()).rev() {
            let node = self.reached[place] as usize;
            let mut leads = false;
            let rows = &self.rows;
            graph.nodes[node].operands(&graph.lists).for_each(|input| {
                leads |= rows[input as usize].pass == pass;
            });
            if leads {
                let row = &mut self.rows[node];
                if row.pass != pass {
                    *row = Row { pass, ..Row::NEW };
                }
                row.mark &= !flag::BOUNDARY;
            }
        }
        let lies_inside = |row: &Row<1>| row.pass == pass && row.mark & flag::BOUNDARY == 0;
        if !lies_inside(&self.rows[root as usize]) {
            return Ok(None);
        }
        // Once more from the root, through the inside alone.
        self.walk = self.next();
        let walk = self.walk;
        self.reached.clear();
        self.seen[root as usize] = walk;
        set.insert(root);
        while let Some(node) = set.take_last() {
            room::push(&mut self.reached, node).inspect_err(|_| set.clear())?;
            if !lies_inside(&self.rows[node as usize]) {
                continue;
            }
            graph.nodes[node as usize].operands(&graph.lists).for_each(|input| {
                let i = input as usize;
                if self.seen[i] == walk || !graph.nodes[i].needs_grad() {
                    return;
                }
                self.seen[i] = walk;
                if self.rows[i].pass != pass {
                    self.rows[i] = Row { pass, mark: flag::SOURCE | flag::BOUNDARY, ..Row::NEW };
                }
                set.insert(input);
            });
        }
        Ok(Some(sources))
    }

    /// Gives a node a direction.
    fn push(&mut self, row: u32, t: f64) {
        if t != 0.0 {
            let row = &mut self.rows[row as usize];
            row.tangents[0] += t;
            row.moves.set(0, flag::MOVES);
        }
    }

    /// The boundary, in descending order.
    fn boundary(&self) -> impl Iterator<Item = u32> {
        self.reached.iter().copied().filter(|&node| self.rows[node as usize].mark & flag::BOUNDARY != 0)
    }
}

/// The root and the sources of recorded gradients.
fn operands(graph: &Graph, node: u32) -> (u32, &[u32]) {
    let (start, len) = graph.nodes[node as usize].list();
    (graph.lists[start], &graph.lists[start + 1..start + len])
}

impl Scratch {
    /// Has room for passes inside of a pass.
    pub(crate) fn inner(&mut self) -> &mut Self {
        self.inner.get_or_insert_default()
    }

    /// Notes from now on what the derivatives of recorded gradients leave out.
    pub(crate) fn note_left_out_by_gradients(&mut self) {
        self.inner().second.one.left_out = Some(vec![]);
    }

    /// Notes that so many sums of recorded gradients were left out, of terms that are REAL: at their root.
    pub(crate) fn note_lost_by_gradients(&mut self, graph: &Graph, node: u32, count: u64) {
        let rows = &mut self.second.one;
        rows.of_gradients = node;
        rows.leaves_out(operands(graph, node).0 as usize, count);
    }

    /// What was noted: the node of each term, and the gradients that were differentiated.
    pub(crate) fn left_out_by_gradients(&mut self) -> Vec<(u32, u32)> {
        self.inner().second.one.left_out.take().unwrap_or_default()
    }

    /// Whether recorded gradients lie between a root and these sources.
    pub(crate) fn meets_gradients(
        &mut self,
        graph: &Graph,
        root: u32,
        sources: &[u32],
    ) -> Result<bool, Error> {
        if !graph.may_lead_to_gradients(root) {
            return Ok(false);
        }
        let rows = &mut self.second.one;
        let found = rows.enclose(graph, root, sources, &mut self.set)?.is_some();
        let is_gradient = |&node: &u32| {
            graph.nodes[node as usize].op == Op::Gradient
                && rows.rows[node as usize].mark & flag::BOUNDARY == 0
        };
        Ok(found && rows.reached.iter().any(is_gradient))
    }

    /// What recorded gradients pass on to, in descending order.
    pub(crate) fn boundary(&mut self, graph: &Graph, node: u32) -> Result<Vec<u32>, Error> {
        let (root, sources) = operands(graph, node);
        let rows = &mut self.second.one;
        let found = rows.enclose(graph, root, sources, &mut self.set)?;
        Ok(if found.is_some() { rows.boundary().collect() } else { vec![] })
    }

    /// What recorded gradients pass on if `weights`, one for each source, arrive at them.
    pub(crate) fn pass_on_gradients(
        &mut self,
        graph: &Graph,
        node: u32,
        weights: &[f64],
        decisions: &mut dyn Decide,
        to: &mut Passed,
    ) -> Result<PassCounts, Error> {
        let weigh = |rows: &mut Rows<1>, sources: &Sources| {
            sources.rows.iter().for_each(|&(place, row)| rows.push(row, weights[place]));
            true
        };
        let collect = |rows: &Rows<1>, _: &Sources| {
            room::reserve(&mut to.contributions, rows.reached.len())?;
            for &node in &rows.reached {
                let mark = rows.rows[node as usize].mark;
                let row = &graph.nodes[node as usize];
                if mark & flag::BOUNDARY == 0 {
                    if row.is_alias() && !row.is_source_alias() {
                        room::push(&mut to.choices, node)?;
                    }
                } else if mark & flag::REACHED != 0
                    && let Some((contribution, status)) = rows.product(node, 0)
                {
                    to.contributions.push((node, contribution, status.bits()));
                }
            }
            Ok(())
        };
        self.differentiate_gradients(graph, node, Product::Transposed, decisions, weigh, collect)
    }

    /// The tangents of recorded gradients, in the order of their sources, if the boundary has the tangents that
    /// `moves` tells, `None` where it does not move; and what was left out.
    pub(super) fn tangents_of_gradients(
        &mut self,
        graph: &Graph,
        node: u32,
        moves: impl Fn(u32) -> Option<(f64, Status)>,
        decisions: &mut dyn Decide,
        to: &mut Vec<Option<(f64, Status)>>,
    ) -> Result<PassCounts, Error> {
        to.clear();
        let flags = Cell::new(Status::EXACT);
        let direct = |rows: &mut Rows<1>, _: &Sources| {
            let mut any = false;
            for place in 0..rows.reached.len() {
                let node = rows.reached[place];
                if rows.rows[node as usize].mark & flag::BOUNDARY != 0
                    && let Some((t, status)) = moves(node)
                {
                    rows.push(node, t);
                    flags.set(flags.get() | status);
                    any = true;
                }
            }
            any
        };
        let collect = |rows: &Rows<1>, sources: &Sources| {
            let found = sources.found(|row| rows.product(row, 0));
            let tangent = |(t, status): Gradient| (t.to_ieee(), status | flags.get());
            to.extend(found.into_iter().map(|found| found.map(tangent)));
            Ok(())
        };
        self.differentiate_gradients(graph, node, Product::Jacobian, decisions, direct, collect)
    }

    /// Differentiates recorded gradients along what `direct` gives to rows, which says whether that is anything,
    /// and has `collect` read the rows.
    fn differentiate_gradients(
        &mut self,
        graph: &Graph,
        node: u32,
        product: Product,
        decisions: &mut dyn Decide,
        direct: impl FnOnce(&mut Rows<1>, &Sources) -> bool,
        collect: impl FnOnce(&Rows<1>, &Sources) -> Result<(), Error>,
    ) -> Result<PassCounts, Error> {
        let (root, nodes) = operands(graph, node);
        let Some(pass) = graph.gradient_pass(node) else { return Ok(PassCounts::default()) };
        let on_input = trace(graph, &[root], &pass.state, self)?;
        let coordinates = if on_input { &self.coordinates[..] } else { &[] };
        let rows = &mut self.second.one;
        let Some(sources) = rows.enclose(graph, root, nodes, &mut self.set)? else {
            return Ok(PassCounts::default());
        };
        if !direct(rows, &sources) {
            return Ok(PassCounts::default());
        }
        rows.of_gradients = node;
        let mut decisions = Again { decisions, saturates: pass.saturates };
        let root = (root, pass.seed);
        let (counts, _) = rows.differentiate(graph, root, product, &pass.state, &mut decisions, coordinates);
        collect(rows, &sources)?;
        Ok(counts)
    }
}
