//! Second order: products of the Hessian, and derivatives forward.
//!
//! Three walks over what the root reaches, none of which recurses:
//!
//! ```text
//! reach.rs    down: what there is
//! forward.rs  up: tangents, and what leads to a source
//! reverse.rs  down: adjoints, and how they change
//! rows.rs     the columns that these work in, for one direction or several at once
//! lanes.rs    contributions for all of these directions
//! rules.rs    the rule that the mode gives a node, chosen while running
//! ```
//!
//! **What is differentiated** is the gradient Γ that the mode computes. Let node u have operands xⱼ and pass
//! `ḡ·pᵢ` to operand i, p classical or bounded. What first order silences or leaves out and the choice of a
//! rule are constants. With f the classical partials,
//!
//! * `J·v`, how Γ changes along v: tangents `ẋ` go up by f, and adjoints go down together with how they change,
//!   `ċᵢ = pᵢ·ṡ + Σⱼ ḡ·∂pᵢ/∂xⱼ·ẋⱼ`;
//! * `Jᵀ·v`, how `v·Γ` changes with each source: weights λ go up by p, and adjoints go down together with those
//!   of the values, `qⱼ = fⱼ·q + Σᵢ ḡ·λᵢ·∂pᵢ/∂xⱼ`.
//!
//! Where nothing is bounded and nothing masked both are the Hessian times v. A value that is not REAL does not
//! change: its tangent is 0, and the status says `MASKED`. A term that is not REAL is left out and counted,
//! unless one of its weights is 0.

mod forward;
pub(super) mod gradients;
mod lanes;
mod reach;
mod reverse;
pub(super) mod rows;
mod rules;

use super::left_out::LeftOut;
use super::policies::{Coordinate, Decide, Silent};
use super::scratch::{Gradient, Scratch};
use crate::error::Error;
use crate::graph::{Graph, Handle, accumulate};
use crate::mode::{GradientMode, ModeState};
use crate::pass_counts::PassCounts;
use crate::scalar::TrScalar;
use crate::stats::Statistics;
use crate::status::Status;
use rows::{LANES, Rows};
use rules::Rules;

/// Which product with the Jacobian J of a gradient. They differ where partials are bounded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Product {
    /// `J·v`, the derivative of the gradient along v.
    #[default]
    Jacobian,
    /// `Jᵀ·v`, the gradient of the gradient's product with v.
    Transposed,
}

/// What a second-order pass found, in the order of the sources: `None` for one that no path leads to.
#[derive(Clone, Debug, Default)]
pub struct SecondOrder {
    /// The gradient.
    pub gradient: Vec<Option<Gradient>>,
    /// The products, one list for each direction.
    pub products: Vec<Vec<Option<Gradient>>>,
    /// What was silenced and left out, for [`Statistics::add_pass`].
    pub counts: PassCounts,
}

/// What a pass is about.
#[derive(Clone, Copy)]
struct Pass<'a> {
    graph: &'a Graph,
    root: u32,
    seed: f64,
    sources: &'a Sources,
    product: Product,
    state: &'a ModeState,
}

/// What is differentiated by.
struct Sources {
    nodes: Vec<u32>,
    /// The place and a row of each; a leaf that was assigned a value may have several.
    rows: Vec<(usize, u32)>,
}

impl Sources {
    fn new(nodes: Vec<u32>, graph: &Graph, reached: &[u32]) -> Result<Self, Error> {
        let versions = graph.versions(&nodes, reached)?;
        let mut rows = vec![];
        for (place, &node) in nodes.iter().enumerate() {
            match graph.versions_of(node, &versions) {
                Some(versions) => rows.extend(versions.map(|row| (place, row))),
                None => rows.push((place, node)),
            }
        }
        Ok(Self { nodes, rows })
    }

    /// What was found for each source.
    fn found(&self, of_row: impl Fn(u32) -> Option<(f64, Status)>) -> Vec<Option<Gradient>> {
        let mut found = vec![None; self.nodes.len()];
        for &(place, row) in &self.rows {
            if let Some(more) = of_row(row) {
                accumulate(&mut found[place], more);
            }
        }
        found.into_iter().map(|found| found.map(|(x, status)| (TrScalar::from_ieee(x), status))).collect()
    }
}

impl Graph {
    /// The derivatives of some nodes along a direction, by the mode's own partials: what the gradients that the
    /// mode computes give, multiplied by the tangents. Returned are the derivatives in the order of the roots,
    /// and what was silenced and left out.
    ///
    /// # Errors
    /// [`Error::Tangents`] unless there is a tangent for each source, [`Error::Tangent`] for one that is not REAL.
    pub fn jvp(
        &self,
        roots: &[Handle],
        sources: &[Handle],
        tangents: &[f64],
        state: &ModeState,
        statistics: Option<&mut Statistics>,
        scratch: &mut Scratch,
    ) -> Result<(Vec<Gradient>, PassCounts), Error> {
        let mut unasked = Statistics::default();
        self.jvp_deciding(roots, sources, tangents, state, statistics.unwrap_or(&mut unasked), scratch)
    }

    /// [`jvp`](Self::jvp), with decisions by anyone.
    #[doc(hidden)]
    pub fn jvp_deciding(
        &self,
        roots: &[Handle],
        sources: &[Handle],
        tangents: &[f64],
        state: &ModeState,
        decisions: &mut dyn Decide,
        scratch: &mut Scratch,
    ) -> Result<(Vec<Gradient>, PassCounts), Error> {
        check(sources, tangents)?;
        let roots: Vec<u32> = roots.iter().map(|&root| self.node(root)).collect();
        let nodes: Vec<u32> = sources.iter().map(|&source| self.node(source)).collect();
        for &root in &roots {
            if scratch.needs_second_order(self, root, &nodes)? {
                return Err(Error::SecondDerivative);
            }
        }
        let mut rows = std::mem::take(&mut scratch.second.one);
        let on_input = trace(self, &roots, state, scratch)?;
        rows.reach(self, &roots, &nodes, &mut scratch.set)?;
        rows.seed(&Sources::new(nodes, self, &rows.reached)?.rows, |place, _| tangents[place]);
        let coordinates = if on_input { &scratch.coordinates[..] } else { &[] };
        let mut rules = Rules::new(state, decisions, coordinates);
        let (mut inner, mut found, mut failed) = (std::mem::take(&mut scratch.inner), vec![], None);
        let mut below = PassCounts::default();
        let mut on_gradients = |rows: &mut Rows<1>, row: usize, rules: &mut Rules| {
            let moves = |node: u32| rows.active(node as usize).map(|_| rows.tangent(node, 0));
            let (inner, decisions) = (inner.get_or_insert_default(), &mut *rules.decisions);
            match inner.tangents_of_gradients(self, row as u32, moves, decisions, &mut found) {
                Ok(counts) => below.add(counts),
                Err(error) => failed = Some(error),
            }
            for gradient in self.gradients_at(row as u32) {
                if let Some(&Some(tangent)) = found.get(self.place_of_gradient(gradient)) {
                    rows.set_tangent(gradient, tangent);
                }
            }
        };
        let dropped = rows.ascend(self, Some(&mut rules), Some(&mut on_gradients));
        scratch.inner = inner;
        if let Some(error) = failed {
            scratch.second.one = rows;
            return Err(error);
        }
        let tangents = roots.iter().map(|&root| rows.tangent(root, 0));
        let found = tangents.map(|(t, status)| (TrScalar::from_ieee(t), status)).collect();
        let mut counts = PassCounts { dropped, masked: rules.masked };
        counts.add(below);
        scratch.second.one = rows;
        Ok((found, counts))
    }

    /// The product of a direction with the Jacobian of the gradient of `root`, and the gradient. Leaves every
    /// node's own gradient alone. Counts the decisions of Hybrid mode once.
    ///
    /// `seed` is the root's adjoint.
    ///
    /// # Errors
    /// [`Error::Tangents`] unless the direction has a number for each source, [`Error::Tangent`] for one that is
    /// not REAL.
    #[expect(clippy::too_many_arguments, reason = "the parts of a pass")]
    pub fn hvp(
        &self,
        root: Handle,
        seed: TrScalar,
        sources: &[Handle],
        direction: &[f64],
        product: Product,
        state: &ModeState,
        statistics: Option<&mut Statistics>,
        scratch: &mut Scratch,
    ) -> Result<SecondOrder, Error> {
        let mut unasked = Statistics::default();
        let decisions = statistics.unwrap_or(&mut unasked);
        self.hvp_deciding(root, seed, sources, direction, product, state, decisions, scratch)
    }

    /// [`hvp`](Self::hvp), with decisions by anyone.
    #[expect(clippy::too_many_arguments, reason = "the parts of a pass")]
    #[doc(hidden)]
    pub fn hvp_deciding(
        &self,
        root: Handle,
        seed: TrScalar,
        sources: &[Handle],
        direction: &[f64],
        product: Product,
        state: &ModeState,
        decisions: &mut dyn Decide,
        scratch: &mut Scratch,
    ) -> Result<SecondOrder, Error> {
        check(sources, direction)?;
        let nodes: Vec<u32> = sources.iter().map(|&source| self.node(source)).collect();
        let (root, seed) = (self.node(root), seed.to_ieee());
        refuse_gradients(self, root, &nodes, scratch)?;
        let on_input = trace(self, &[root], state, scratch)?;
        let mut rows = std::mem::take(&mut scratch.second.one);
        rows.reach(self, &[root], &nodes, &mut scratch.set)?;
        let sources = Sources::new(nodes, self, &rows.reached)?;
        let pass = Pass { graph: self, root, seed, sources: &sources, product, state };
        let coordinates = if on_input { &scratch.coordinates[..] } else { &[] };
        let (mut found, _) = pass.run(&mut rows, 1, |place, _| direction[place], decisions, coordinates);
        scratch.second.one = rows;
        pass.add_dead_sources(&mut found, scratch)?;
        Ok(found)
    }

    /// The Jacobian of the gradient of `root` with respect to the sources, and the gradient: `products[j][i]` is
    /// how the gradient by source i changes with source j. Several columns are worked out in one go. Counts the
    /// decisions of Hybrid mode once.
    ///
    /// # Errors
    /// [`Error::SecondDerivative`] if `root` was computed from a gradient that may depend on a source.
    pub fn hessian(
        &self,
        root: Handle,
        seed: TrScalar,
        sources: &[Handle],
        state: &ModeState,
        statistics: Option<&mut Statistics>,
        scratch: &mut Scratch,
    ) -> Result<SecondOrder, Error> {
        let mut unasked = Statistics::default();
        let decisions = statistics.unwrap_or(&mut unasked);
        self.hessian_deciding(root, seed, sources, state, decisions, scratch)
    }

    /// [`hessian`](Self::hessian), with decisions by anyone.
    #[doc(hidden)]
    pub fn hessian_deciding(
        &self,
        root: Handle,
        seed: TrScalar,
        sources: &[Handle],
        state: &ModeState,
        decisions: &mut dyn Decide,
        scratch: &mut Scratch,
    ) -> Result<SecondOrder, Error> {
        let nodes: Vec<u32> = sources.iter().map(|&source| self.node(source)).collect();
        let (root, seed, product) = (self.node(root), seed.to_ieee(), Product::Jacobian);
        refuse_gradients(self, root, &nodes, scratch)?;
        let on_input = trace(self, &[root], state, scratch)?;
        let mut rows = std::mem::take(&mut scratch.second.several);
        rows.reach(self, &[root], &nodes, &mut scratch.set)?;
        let sources = Sources::new(nodes, self, &rows.reached)?;
        let pass = Pass { graph: self, root, seed, sources: &sources, product, state };
        let count = sources.nodes.len();
        let coordinates = if on_input { &scratch.coordinates[..] } else { &[] };
        let mut all = SecondOrder::default();
        for first in (0..count.max(1)).step_by(LANES) {
            rows.repeats = first > 0;
            let lanes = (count - first).min(LANES);
            let direction = |place: usize, lane: usize| f64::from(u8::from(place == first + lane));
            let (found, dropped) = if first == 0 {
                pass.run(&mut rows, lanes, direction, decisions, coordinates)
            } else {
                pass.run(&mut rows, lanes, direction, &mut Silent(decisions), coordinates)
            };
            // What happened to the gradient is the same each time.
            if first == 0 {
                (all.gradient, all.counts) = (found.gradient, found.counts);
            } else {
                all.counts.dropped += dropped;
            }
            all.products.extend(found.products);
        }
        scratch.second.several = rows;
        pass.add_dead_sources(&mut all, scratch)?;
        Ok(all)
    }
}

impl Graph {
    /// The terms that a second-order pass, or a derivative along a direction, leaves out since they are not REAL, by the nodes that made them. Neither
    /// the pass nor its decisions are counted.
    ///
    /// # Errors
    /// Those of the pass.
    pub fn second_left_out<T>(
        &self,
        statistics: &Statistics,
        scratch: &mut Scratch,
        pass: impl FnOnce(&Self, &mut Statistics, &mut Scratch) -> Result<T, Error>,
    ) -> Result<Vec<LeftOut>, Error> {
        (scratch.second.one.left_out, scratch.second.several.left_out) = (Some(vec![]), Some(vec![]));
        scratch.note_left_out_by_gradients();
        let ran = pass(self, &mut Statistics::that_saturates(statistics.saturates()), scratch);
        let below = scratch.left_out_by_gradients();
        let lists = [scratch.second.one.left_out.take(), scratch.second.several.left_out.take(), Some(below)];
        ran?;
        Ok(lists.into_iter().flatten().flatten().map(|(node, _)| self.left_out_at(node, None)).collect())
    }
}

/// Follows the inputs up, for Hybrid mode; whether there is one.
fn trace(graph: &Graph, roots: &[u32], state: &ModeState, scratch: &mut Scratch) -> Result<bool, Error> {
    scratch.trim(graph.len());
    let mut on_input = false;
    if state.mode == GradientMode::Hybrid {
        for &root in roots {
            on_input |= !scratch.trace_coordinates(graph, root, state)?.is_empty();
        }
    }
    Ok(on_input)
}

fn check(sources: &[Handle], tangents: &[f64]) -> Result<(), Error> {
    if sources.len() != tangents.len() {
        return Err(Error::Tangents { wanted: sources.len(), given: tangents.len() });
    }
    tangents.iter().find(|t| !t.is_finite()).map_or(Ok(()), |&t| Err(Error::Tangent(t)))
}

impl<const K: usize> Rows<K> {
    /// The walks up and down of a pass that was begun, with its direction. Returns what was counted, and how many
    /// terms of second order were left out among that.
    fn differentiate(
        &mut self,
        graph: &Graph,
        root: (u32, f64),
        product: Product,
        state: &ModeState,
        decisions: &mut dyn Decide,
        coordinates: &[Coordinate],
    ) -> (PassCounts, u64) {
        let mut dropped = match product {
            Product::Jacobian => self.ascend(graph, None, None),
            Product::Transposed => {
                let mut silent = Silent(decisions);
                self.ascend(graph, Some(&mut Rules::new(state, &mut silent, coordinates)), None)
            }
        };
        let mut rules = Rules::new(state, decisions, coordinates);
        dropped += self.descend(graph, root, product == Product::Transposed, &mut rules);
        (PassCounts { dropped: rules.dropped + dropped, masked: rules.masked }, dropped)
    }
}

impl Pass<'_> {
    /// What was found, and how many terms of second order were left out.
    fn run<const K: usize>(
        &self,
        rows: &mut Rows<K>,
        lanes: usize,
        direction: impl Fn(usize, usize) -> f64,
        decisions: &mut dyn Decide,
        coordinates: &[Coordinate],
    ) -> (SecondOrder, u64) {
        let Self { graph, sources, product, state, .. } = *self;
        rows.seed(&sources.rows, direction);
        let (counts, dropped) =
            rows.differentiate(graph, (self.root, self.seed), product, state, decisions, coordinates);
        let found = SecondOrder {
            gradient: sources.found(|row| rows.gradient(row)),
            products: (0..lanes).map(|lane| sources.found(|row| rows.product(row, lane))).collect(),
            counts,
        };
        (found, dropped)
    }
}

impl Pass<'_> {
    /// Sources that the root depends on only through what a condition did not choose get 0.
    fn add_dead_sources(&self, found: &mut SecondOrder, scratch: &mut Scratch) -> Result<(), Error> {
        if !self.graph.may_lead_to_alias(self.root) || !found.gradient.contains(&None) {
            return Ok(());
        }
        scratch.adjoints.grow(self.graph.len())?;
        for list in std::iter::once(&mut found.gradient).chain(&mut found.products) {
            scratch.zero_dead_sources(self.graph, self.root, &self.sources.nodes, list)?;
        }
        Ok(())
    }
}

/// A root that was computed from a gradient has no second derivatives here: they would be third ones.
fn refuse_gradients(graph: &Graph, root: u32, sources: &[u32], scratch: &mut Scratch) -> Result<(), Error> {
    if scratch.needs_second_order(graph, root, sources)? || scratch.meets_gradients(graph, root, sources)? {
        return Err(Error::SecondDerivative);
    }
    Ok(())
}
