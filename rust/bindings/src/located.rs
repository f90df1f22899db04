//! Operands where they are to be recorded: the arena that all of them are in, and their handles there.

use crate::arena::{self, Borrow};
use crate::operand::Operand;
use pyo3::prelude::*;
use zeroproof::Error;
use zeroproof::graph::Handle;

/// An operand whose arena is borrowed.
pub(crate) type Located = Operand<Handle>;

#[cfg(not(Py_GIL_DISABLED))]
mod forms {
    use super::*;

    /// An operand, in its arena; a number in that of this thread.
    #[inline(always)]
    pub(crate) fn one(py: Python<'_>, a: Operand) -> (Borrow<'_>, Located) {
        (arena::own(py), a)
    }

    /// Two operands.
    ///
    /// # Errors
    /// If there is no memory to bring their arenas together.
    #[inline(always)]
    pub(crate) fn both(
        py: Python<'_>,
        a: Operand,
        b: Operand,
    ) -> Result<(Borrow<'_>, Located, Located), Error> {
        Ok((arena::own(py), a, b))
    }

    /// Any number of operands.
    ///
    /// # Errors
    /// If there is no memory to bring their arenas together.
    pub(crate) fn all<'py, 'o>(
        py: Python<'py>,
        operands: &'o [Operand],
    ) -> Result<(Borrow<'py>, &'o [Located]), Error> {
        Ok((arena::own(py), operands))
    }
}

/// Arenas are brought together only where two of them hold operands that are more than numbers.
#[cfg(Py_GIL_DISABLED)]
mod forms {
    use super::*;
    use crate::arena::NodeRef;

    /// An operand, in its arena; a number in that of this thread.
    #[inline(always)]
    pub(crate) fn one(py: Python<'_>, a: Operand) -> (Borrow<'_>, Located) {
        match a {
            Operand::Node(node) => {
                let (borrow, handle) = arena::at(py, node);
                (borrow, Operand::Node(handle))
            }
            Operand::Value(value) => (arena::own(py), Operand::Value(value)),
        }
    }

    /// Two operands.
    ///
    /// # Errors
    /// If there is no memory to bring their arenas together.
    #[inline(always)]
    pub(crate) fn both(
        py: Python<'_>,
        a: Operand,
        b: Operand,
    ) -> Result<(Borrow<'_>, Located, Located), Error> {
        match (a, b) {
            (Operand::Node(a), Operand::Node(b)) => two_nodes(py, a, b),
            (a, Operand::Value(b)) => {
                let (borrow, a) = one(py, a);
                Ok((borrow, a, Operand::Value(b)))
            }
            (Operand::Value(a), b) => {
                let (borrow, b) = one(py, b);
                Ok((borrow, Operand::Value(a), b))
            }
        }
    }

    #[inline(always)]
    fn two_nodes(py: Python<'_>, a: NodeRef, b: NodeRef) -> Result<(Borrow<'_>, Located, Located), Error> {
        match arena::neighbours(py, a, b) {
            Some((borrow, a, b)) => Ok((borrow, Operand::Node(a), Operand::Node(b))),
            None => {
                let (borrow, operands) = strangers(py, &[Operand::Node(a), Operand::Node(b)])?;
                Ok((borrow, operands[0], operands[1]))
            }
        }
    }

    /// Any number of operands.
    ///
    /// # Errors
    /// If there is no memory to bring their arenas together.
    pub(crate) fn all<'py>(
        py: Python<'py>,
        operands: &[Operand],
    ) -> Result<(Borrow<'py>, Vec<Located>), Error> {
        strangers(py, operands)
    }

    #[cold]
    #[inline(never)]
    fn strangers<'py>(py: Python<'py>, operands: &[Operand]) -> Result<(Borrow<'py>, Vec<Located>), Error> {
        let nodes = operands.iter().filter_map(|operand| match operand {
            Operand::Node(node) => Some(*node),
            Operand::Value(_) => None,
        });
        let mut nodes: Vec<_> = nodes.collect();
        let mut operands = operands.to_vec();
        if !arena::are_together(&nodes) {
            // The first node that is more than a number says where; the first one if there is none.
            let numbers: Vec<_> = nodes.iter().map(|&node| arena::number(py, node)).collect();
            let first = numbers.iter().position(Option::is_none).unwrap_or(0);
            let home = nodes[first];
            let mut values = numbers.into_iter().enumerate();
            for operand in &mut operands {
                if let Operand::Node(node) = *operand
                    && let (place, Some(value)) = values.next().expect("as many as nodes")
                    && place != first
                    && !arena::are_together(&[home, node])
                {
                    *operand = Operand::Value(value);
                }
            }
            nodes.clear();
            nodes.extend(operands.iter().filter_map(|operand| match operand {
                Operand::Node(node) => Some(*node),
                Operand::Value(_) => None,
            }));
        }
        let (borrow, handles) = arena::meet(py, &nodes)?;
        let mut handles = handles.into_iter();
        let located = operands.into_iter().map(|operand| match operand {
            Operand::Node(_) => Operand::Node(handles.next().expect("as many as nodes")),
            Operand::Value(value) => Operand::Value(value),
        });
        Ok((borrow, located.collect()))
    }
}

pub(crate) use forms::{all, both, one};
