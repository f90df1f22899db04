//! What passes need besides the graph.

use super::policies::Coordinate;
use super::second::rows::SecondScratch;
use crate::adjoints::{ACTIVE, Adjoint, Adjoints};
use crate::error::Error;
use crate::graph::{Graph, Node, Versions, flag};
use crate::mode::ModeState;
use crate::node_set::NodeSet;
use crate::op::Op;
use crate::room;
use crate::scalar::TrScalar;
use crate::status::Status;

/// A gradient and how it came about.
pub type Gradient = (TrScalar, Status);

/// What passes need besides the graph; kept between them for its memory.
#[derive(Debug, Default)]
pub struct Scratch {
    pub(super) set: NodeSet,
    /// Whether there was an alias among what the last restricted pass went through.
    pub(super) met_alias: bool,
    pub(super) coordinates: Vec<Coordinate>,
    /// The columns of passes that leave the graph's own gradients alone.
    pub(super) adjoints: Adjoints,
    /// The columns of second-order passes.
    pub(super) second: SecondScratch,
    /// For the derivatives of recorded gradients, which are passes inside of a pass.
    pub(super) inner: Option<Box<Scratch>>,
    /// The list of the rows that a pass passed by.
    pub(super) passed: Option<u32>,
}

impl Scratch {
    /// Gives memory back that is much more than so many nodes need.
    pub(super) fn trim(&mut self, nodes: usize) {
        self.second.trim(nodes);
        let enough = nodes.max(1024);
        if self.adjoints.rows.capacity() > 4 * enough {
            self.adjoints.rows.truncate(enough);
            self.adjoints.rows.shrink_to(enough);
        }
        if self.coordinates.capacity() > 4 * enough {
            self.coordinates.truncate(enough);
            self.coordinates.shrink_to(enough);
            self.set = NodeSet::default();
        }
    }

    /// The bytes that it occupies.
    pub fn allocated_bytes(&self) -> usize {
        self.adjoints.allocated_bytes()
            + self.second.allocated_bytes()
            + self.coordinates.capacity() * size_of::<Coordinate>()
            + self.inner.as_ref().map_or(0, |inner| inner.allocated_bytes())
    }

    /// The nodes that gradients flow through below `root`, root first, in reverse of recording.
    pub(super) fn reachable(&mut self, graph: &Graph, root: u32) -> Result<Vec<u32>, Error> {
        self.below(graph, root, Node::flows)
    }

    /// The nodes below `root` that operands of this kind lead to, root first, in reverse of recording.
    pub(super) fn below(
        &mut self,
        graph: &Graph,
        root: u32,
        leads: impl Fn(&Node) -> bool,
    ) -> Result<Vec<u32>, Error> {
        let mut found = vec![];
        self.set.grow(graph.len())?;
        self.set.insert(root);
        while let Some(node) = self.set.take_last() {
            room::push(&mut found, node).inspect_err(|_| self.set.clear())?;
            graph.nodes[node as usize].operands(&graph.lists).for_each(|input| {
                if leads(&graph.nodes[input as usize]) {
                    self.set.insert(input);
                }
            });
        }
        Ok(found)
    }

    /// Follows the inputs (coordinates) up through what the root reaches: the coordinates by node,
    /// none at all if the root depends on no input.
    pub(super) fn trace_coordinates(
        &mut self,
        graph: &Graph,
        root: u32,
        state: &ModeState,
    ) -> Result<&[Coordinate], Error> {
        if graph.nodes[root as usize].flags & flag::ON_INPUT == 0 {
            return Ok(&[]);
        }
        // Also what only a restricted pass visits, which depends on no coordinate.
        let reached = self.below(graph, root, Node::needs_grad)?;
        room::grow(&mut self.coordinates, graph.len(), Coordinate::NONE)?;
        for &node in reached.iter().rev() {
            let i = node as usize;
            let mut here = match graph.nodes[i].op {
                Op::Input => Coordinate::of(graph.nodes[i].value, state),
                _ => Coordinate::NONE,
            };
            graph.nodes[i].operands(&graph.lists).for_each(|input| {
                let flags = graph.nodes[input as usize].flags;
                if flags & flag::ON_INPUT != 0 && flags & flag::FLOWS != 0 {
                    here = here.and(self.coordinates[input as usize]);
                }
            });
            self.coordinates[i] = here;
        }
        Ok(&self.coordinates)
    }

    /// Marks the sources, and among what a root `reached` all that leads to one of them. Returns
    /// every node marked.
    pub(super) fn activate(
        &mut self,
        graph: &Graph,
        reached: &[u32],
        sources: &[u32],
        versions: &Versions,
    ) -> Result<Vec<u32>, Error> {
        let mut active = vec![];
        // Those with an operand among the others are there twice, if at all.
        room::reserve_exact(&mut active, sources.len() + 2 * reached.len())?;
        self.met_alias = reached.iter().any(|&node| graph.nodes[node as usize].is_alias());
        let rows = &mut self.adjoints.rows;
        for source in sources.iter().copied().chain(versions.rows()) {
            rows[source as usize].mark |= ACTIVE;
            active.push(source);
        }
        for &node in reached.iter().rev() {
            let mut leads = false;
            graph.nodes[node as usize].operands(&graph.lists).for_each(|input| {
                leads |= rows[input as usize].mark & ACTIVE != 0;
            });
            if leads {
                let is_source = rows[node as usize].mark & ACTIVE != 0;
                rows[node as usize].mark |= ACTIVE;
                active.push(node);
                if !is_source {
                    forward_alias(rows, graph, node);
                }
            }
        }
        Ok(active)
    }

    /// Marks these nodes, given in descending order, which are all that gradients flow through below a root;
    /// none if they do not flow to the root itself.
    pub(super) fn activate_all(&mut self, graph: &Graph, active: &mut Vec<u32>) {
        active.retain(|&node| graph.nodes[node as usize].flows());
        for &node in active.iter().rev() {
            self.adjoints.rows[node as usize].mark |= ACTIVE;
            forward_alias(&mut self.adjoints.rows, graph, node);
        }
    }
}

/// Has an alias send contributions on, to where the node that it stands for has them.
fn forward_alias(rows: &mut [Adjoint], graph: &Graph, node: u32) {
    if graph.nodes[node as usize].is_alias() {
        let below = graph.nodes[node as usize].links[0];
        let target = rows[below as usize].target().unwrap_or(below);
        rows[node as usize].forward(target, None);
    }
}
