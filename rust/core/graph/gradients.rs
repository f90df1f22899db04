//! Gradients as operands.
//!
//! The gradients of a node can be recorded, and differentiated once more. A row of the op `Gradients` has the
//! node and its sources as operands, and right behind it stand rows of the op `Gradient`, one for each source
//! that gradients flow to, in the order of the sources. A backward pass collects what arrives at these, and
//! the row before them passes it on: see [`backward::second`](crate::backward::second).
//!
//! What has no further derivative is a constant: the gradient of a gradient, and what functions of second order
//! return. How it depends on what it was computed at is not recorded. So it bears a flag that goes on to all
//! that is computed from it, and a pass that would have to differentiate it is refused. That is so if a source
//! was there before the gradient was; a constant therefore holds the place of the newest gradient that it was
//! computed from. A plain number made of it would lose the flag, so like a node that requires a gradient it is
//! bound to the graph. A tape by itself returns gradients that are not: there nobody asked for more.

use super::gradient_pass::GradientPass;
use super::{Graph, Handle, Node, UNOWNED, flag};
use crate::error::Error;
use crate::op::Op;
use crate::room::{self, granted};
use crate::scalar::TrScalar;
use crate::status::Status;

/// The bits of a `Gradient` row's second link that are a [`Status`].
const STATUS_BITS: u32 = 3;

/// What a constant that holds a gradient depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dependence {
    /// On nothing that other gradients may be asked for.
    None,
    /// The derivative of what is computed from it is refused; as a plain number it is a constant.
    Loose,
    /// Likewise, and it does not turn into a plain number, which would be a constant in silence.
    Bound,
}

impl Node {
    /// The place where the gradient stood, when it was recorded, that a constant holds or was computed from.
    pub fn gradient_since(&self) -> Option<u32> {
        (self.op == Op::Constant && self.flags & flag::GRADIENT != 0).then_some(self.links[0])
    }

    /// Whether the node is such a constant, and bound to the graph.
    fn is_bound_gradient(&self) -> bool {
        self.gradient_since().is_some() && self.links[1] != 0
    }

    /// The place among the sources of a recorded gradient, and how it came about.
    pub fn recorded_gradient(&self) -> Option<(usize, Status)> {
        (self.op == Op::Gradient).then(|| {
            let status = Status::from_bits_truncate((self.links[1] & ((1 << STATUS_BITS) - 1)) as u8);
            ((self.links[1] >> STATUS_BITS) as usize, status)
        })
    }
}

impl Graph {
    /// Appends the gradients `found` of `root` with respect to `sources`, for which there are as many, or as
    /// constants whose derivative is refused. [`record_gradients`](Self::record_gradients) says which.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`]; then nothing is recorded.
    pub(crate) fn push_gradients(
        &mut self,
        root: Handle,
        sources: &[Handle],
        found: &[Option<(TrScalar, Status)>],
        pass: Option<GradientPass>,
    ) -> Result<Vec<Option<Handle>>, Error> {
        debug_assert_eq!(sources.len(), found.len());
        let present = found.iter().flatten().count();
        if present == 0 {
            return Ok(vec![None; found.len()]);
        }
        if self.lists.len() > self.list_room {
            self.try_collect()?;
        }
        self.reserve_rows(present + 1)?;
        room::reserve(&mut self.recorded_gradients.0, 1)?;
        room::reserve(&mut self.lists, sources.len() + 1)?;
        self.adjoints.grow(self.len + present + 1)?;
        let inputs = std::iter::once(&root).chain(sources).map(|&handle| self.node(handle));
        let flags =
            inputs.clone().fold(0, |all, node| all | self.nodes[node as usize].flags) & flag::INHERITED;
        let first = self.len as u32;
        let is_first = pass.is_some();
        if let Some(pass) = pass {
            let start = self.lists.len() as u32;
            let inputs: Vec<u32> = inputs.collect();
            self.lists.extend(inputs);
            let value = self.at(root).value;
            let row = self.push_row(Op::Gradients, value, [start, (sources.len() as u32 + 1) << 2], flags);
            self.recorded_gradients.0.push((row, pass));
        }
        let mut rows = vec![];
        room::reserve_exact(&mut rows, present)?;
        for (place, found) in found.iter().enumerate() {
            let Some((gradient, status)) = found else { continue };
            let value = gradient.to_ieee();
            rows.push(if is_first {
                let own = (place as u32) << STATUS_BITS | u32::from(status.bits());
                self.push_row(Op::Gradient, value, [first, own], flags)
            } else {
                let row = self.push_row(Op::Constant, value, [self.len as u32, 1], flag::GRADIENT);
                self.adjoints.set_status(row, *status);
                row
            });
        }
        self.adjoints.truncate(self.len);
        self.noted_end = self.noted_end.max(self.recorded_gradients.end());
        let mut handles = self.handles(&rows).inspect_err(|_| self.cut_tail())?.into_iter();
        Ok(found.iter().map(|found| found.as_ref().and_then(|_| handles.next())).collect())
    }

    /// Notes how a sum of gradients came about, until a backward pass visits it.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`].
    pub fn note_status(&mut self, handle: Handle, status: Status) -> Result<(), Error> {
        self.adjoints.grow(self.len)?;
        self.adjoints.set_status(self.node(handle), status);
        Ok(())
    }

    /// How the gradients of a row of the op `Gradients` came about.
    pub(crate) fn gradient_pass(&self, row: u32) -> Option<&GradientPass> {
        let known = &self.recorded_gradients.0;
        known.binary_search_by_key(&row, |entry| entry.0).ok().map(|place| &known[place].1)
    }

    /// Whether passes through recorded gradients may decide, in whatever mode they are.
    #[inline]
    pub fn has_hybrid_gradients(&self) -> bool {
        self.recorded_gradients.has_hybrid()
    }

    /// Whether there may be recorded gradients below a node.
    pub(crate) fn may_lead_to_gradients(&self, node: u32) -> bool {
        self.recorded_gradients.0.first().is_some_and(|first| first.0 < node)
    }

    /// The rows of the gradients that stand behind a row of the op `Gradients`.
    pub(crate) fn gradients_at(&self, row: u32) -> std::ops::Range<usize> {
        let start = row as usize + 1;
        let is_one = |node: &&Node| node.op == Op::Gradient && node.links[0] == row;
        start..start + self.nodes[start..self.len].iter().take_while(is_one).count()
    }

    /// Where the source of a recorded gradient stands among the sources.
    pub(crate) fn place_of_gradient(&self, row: usize) -> usize {
        self.nodes[row].recorded_gradient().map_or(usize::MAX, |(place, _)| place)
    }

    /// Whether the node is a constant that holds, or was computed from, a gradient that depends on what other
    /// gradients may be asked for.
    pub fn is_gradient(&self, handle: Handle) -> bool {
        self.at(handle).gradient_since().is_some()
    }

    /// Whether turning the node into a plain number would lose a derivative, or the error that says that there is
    /// none: it requires a gradient, or holds one, or was computed from one, that is bound to the graph.
    pub fn must_stay_node(&self, handle: Handle) -> bool {
        let node = self.at(handle);
        node.needs_grad() || node.is_bound_gradient()
    }

    /// A constant that holds a gradient and remembers how it came about.
    pub fn gradient_node(&mut self, gradient: TrScalar, status: Status, depends: Dependence) -> Handle {
        self.make_room(1);
        let flags = if depends == Dependence::None { 0 } else { flag::GRADIENT };
        let links = [self.len as u32, u32::from(depends == Dependence::Bound)];
        let node = self.push_row(Op::Constant, gradient.to_ieee(), links, flags);
        let handle = self.new_handle(node);
        if status != Status::EXACT {
            granted(self.adjoints.grow(self.len));
            self.adjoints.set_status(self.node(handle), status);
        }
        handle
    }

    /// Appends a constant that was computed from a gradient.
    #[cold]
    #[inline(never)]
    pub(super) fn push_gradient(&mut self, op: Op, value: f64, links: [u32; 2], flags: u8) -> u32 {
        let made = Node { value, links, owner: UNOWNED, op, flags };
        let links = self.gradient_links(made.operands(&self.lists).inputs());
        self.push_row(Op::Constant, value, links, flags)
    }

    /// The links of a constant that was computed from these: the place of the newest gradient among them, and
    /// whether one is bound.
    pub(super) fn gradient_links(&self, nodes: &[u32]) -> [u32; 2] {
        let gradients = nodes.iter().map(|&node| &self.nodes[node as usize]).filter_map(|node| {
            node.gradient_since().map(|since| [since, u32::from(node.is_bound_gradient())])
        });
        gradients.fold([0; 2], |all, one| [all[0].max(one[0]), all[1] | one[1]])
    }
}
